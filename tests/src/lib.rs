//! What the tests share: a body that follows a script, an observer that remembers how exchanges ended, and the whole stack
//! with everything it puts out at hand; the allocation budgets; and rolling restarts under load.

pub mod budget;
mod lab;
pub mod restart;
mod scripted;
mod witness;

pub use lab::{Lab, object};
pub use scripted::{Broken, ScriptedBody, Step};
pub use witness::{Seen, Witness, Witnessing};
