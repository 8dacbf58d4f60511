//! The two sides of an exchange.

/// On which side of an exchange a layer is.
///
/// What an ending means differs: for a client every 4xx is an error, and so is every gRPC code but `OK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Side {
    /// The request came in. The default.
    #[default]
    Server,
    /// The request goes out.
    Client,
}
