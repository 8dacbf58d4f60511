//! What the tests share: a body that follows a script, an observer that remembers how exchanges ended, and the whole stack
//! with everything it puts out at hand; and the allocation budgets.

pub mod budget;
mod lab;
mod scripted;
mod witness;

pub use lab::{Lab, object};
pub use scripted::{Broken, ScriptedBody, Step};
pub use witness::{Seen, Witness, Witnessing};
