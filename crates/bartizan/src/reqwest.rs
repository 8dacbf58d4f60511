//! The same stack as a middleware of reqwest.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{self, Poll};

use async_trait::async_trait;
use bartizan_trace::client::ResendCount;
use bytes::Bytes;
use http::{Extensions, Request, Uri};
use http_body::{Body, Frame, SizeHint};
use reqwest::{Response, ResponseBuilderExt, Url};
use reqwest_middleware::{Error, Middleware, Next};
use tower_layer::Layer;
use tower_service::Service;

use crate::client::ClientLayer;

type BoxError = Box<dyn StdError + Send + Sync>;

/// How often this request went through here: kept in the extensions that all attempts of one request share.
#[derive(Clone, Copy)]
struct Attempts(u32);

/// Where redirects have led to.
#[derive(Clone)]
struct FinalUrl(Url);

/// A middleware of `reqwest-middleware`. Added after one that retries, each attempt is a call of its own, with
/// `http.request.resend_count` from the second one on; redirects that reqwest follows are a part of the call.
///
/// ```no_run
/// use bartizan::Observability;
/// use reqwest_middleware::ClientBuilder;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let observability = Observability::builder("orders").init()?;
/// let client = ClientBuilder::new(reqwest::Client::new()).with(observability.client_layer()).build();
/// let items = client.get("http://stock:8080/items").send().await?.text().await?;
/// # Ok(())
/// # }
/// ```
#[async_trait]
impl Middleware for ClientLayer {
    async fn handle(
        &self,
        mut request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response, Error> {
        // What is no URI will not be sent either.
        let Ok(uri) = Uri::try_from(request.url().as_str()) else {
            return next.run(request, extensions).await;
        };
        let before = extensions.get::<Attempts>().map_or(0, |attempts| attempts.0);
        extensions.insert(Attempts(before.saturating_add(1)));

        // The layer is shown the head; the request itself stays whole, with its timeout and its body.
        let mut head = Request::new(Length::of(&request));
        *head.method_mut() = request.method().clone();
        *head.uri_mut() = uri;
        *head.version_mut() = request.version();
        head.extensions_mut().insert(ResendCount(before));
        std::mem::swap(head.headers_mut(), request.headers_mut());

        let send = |mut head: Request<Length>| {
            std::mem::swap(head.headers_mut(), request.headers_mut());
            async move {
                let response = next.run(request, extensions).await.map_err(boxed)?;
                let url = FinalUrl(response.url().clone());
                let mut response = http::Response::<reqwest::Body>::from(response);
                response.extensions_mut().insert(url);
                Ok(response)
            }
        };
        let response = self.layer(Once(Some(send))).call(head).await.map_err(unboxed)?;
        let (mut parts, body) = response.into_parts();
        let mut whole = http::Response::new(reqwest::Body::wrap(body));
        if let Some(FinalUrl(url)) = parts.extensions.remove() {
            // There is no other way to tell a response its URL.
            let mut url = http::Response::builder().url(url);
            if let Some(told) = url.extensions_mut() {
                parts.extensions.extend(std::mem::take(told));
            }
        }
        *whole.status_mut() = parts.status;
        *whole.version_mut() = parts.version;
        *whole.headers_mut() = parts.headers;
        *whole.extensions_mut() = parts.extensions;
        Ok(Response::from(whole))
    }
}

/// reqwest's own error is boxed bare, so that it is recognised.
fn boxed(error: Error) -> BoxError {
    match error {
        Error::Reqwest(error) => Box::new(error),
        error @ Error::Middleware(_) => Box::new(error),
    }
}

fn unboxed(error: BoxError) -> Error {
    match error.downcast::<reqwest::Error>() {
        Ok(error) => Error::Reqwest(*error),
        Err(error) => match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(error) => Error::middleware(std::io::Error::other(error)),
        },
    }
}

/// A service that is called once.
struct Once<F>(Option<F>);

impl<F, Fut, R> Service<Request<Length>> for Once<F>
where
    F: FnOnce(Request<Length>) -> Fut,
    Fut: Future<Output = Result<http::Response<R>, BoxError>>,
{
    type Response = http::Response<R>;
    type Error = BoxError;
    type Future = Sent<Fut>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, head: Request<Length>) -> Self::Future {
        Sent { inner: self.0.take().map(|send| send(head)) }
    }
}

pin_project_lite::pin_project! {
    struct Sent<F> {
        #[pin]
        inner: Option<F>,
    }
}

impl<F: Future> Future for Sent<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        self.project().inner.as_pin_mut().map_or(Poll::Pending, |inner| inner.poll(cx))
    }
}

/// Stands in for the request's body, with its length.
struct Length(Option<u64>);

impl Length {
    fn of(request: &reqwest::Request) -> Self {
        Self(request.body().map_or(Some(0), |body| body.as_bytes().map(|bytes| bytes.len() as u64)))
    }
}

impl Body for Length {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.0 == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
