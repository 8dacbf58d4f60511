//! What the tests share: a body that follows a script, and an observer that remembers how exchanges ended.

mod scripted;
mod witness;

pub use scripted::{Broken, ScriptedBody, Step};
pub use witness::{Seen, Witness, Witnessing};
