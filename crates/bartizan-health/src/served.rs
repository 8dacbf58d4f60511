//! Endpoints in service: their answers, kept as long as nothing in them changes.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
    task::{Context, Poll},
};

use http::request::Parts;
use tokio::time::Instant;

use crate::{Answer, Endpoints, Probe, request::Ask};

/// An answer with how long it holds.
pub(crate) struct Rendered {
    pub(crate) answer: Answer,
    /// The registry's when the answer was made.
    pub(crate) generation: u64,
    /// None for an answer to one request only.
    pub(crate) until: Option<Instant>,
}

/// What a layer and a service share. Settings do not change any more, so that answers can be kept.
///
/// There are as many answers as probes, sights and forms: some ten, of which a service uses two or three.
pub(crate) struct Served {
    pub(crate) endpoints: Endpoints,
    answers: RwLock<Vec<(Ask, Rendered)>>,
}

impl Served {
    pub(crate) fn new(endpoints: Endpoints) -> Arc<Self> {
        Arc::new(Self { endpoints, answers: RwLock::default() })
    }

    /// The answer that was given before and still holds. No check is run for it, and none is due.
    fn kept(&self, ask: &Ask) -> Option<Answer> {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        let (_, kept) = answers.iter().find(|(known, _)| known == ask)?;
        let holds = kept.generation == self.endpoints.generation()
            && kept.until.is_some_and(|until| Instant::now() < until);
        holds.then(|| kept.answer.clone())
    }

    async fn answer(&self, ask: Ask) -> Answer {
        let rendered = self.endpoints.rendered(&ask).await;
        let answer = rendered.answer.clone();
        if rendered.until.is_some() && ask.excluded.is_empty() {
            let mut answers = self.answers.write().unwrap_or_else(PoisonError::into_inner);
            match answers.iter_mut().find(|(known, _)| *known == ask) {
                Some((_, kept)) => *kept = rendered,
                None => answers.push((ask, rendered)),
            }
        }
        answer
    }
}

impl Rendered {
    pub(crate) fn once(answer: Answer) -> Self {
        Self { answer, generation: 0, until: None }
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.endpoints.fmt(f)
    }
}

/// An answer on its way: known, or boxed, as only who has to wait pays for it.
pub(crate) enum AnswerFuture {
    Kept(Option<Answer>),
    Asked(Pin<Box<dyn Future<Output = Answer> + Send>>),
}

impl AnswerFuture {
    /// None if the caller may not know that there is such a path.
    pub(crate) fn new(served: &Arc<Served>, probe: Probe, parts: &Parts) -> Option<Self> {
        let (ask, method) = (served.endpoints.ask(probe, parts)?, parts.method.clone());
        if let Some(answer) = Answer::without_document(&method) {
            return Some(Self::Kept(Some(answer)));
        }
        if let Some(answer) = served.kept(&ask) {
            return Some(Self::Kept(Some(answer.for_method(&method))));
        }
        let served = Arc::clone(served);
        Some(Self::Asked(Box::pin(async move { served.answer(ask).await.for_method(&method) })))
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Answer> {
        match self {
            // A future that has ended is not polled again; if it is, it does not end.
            Self::Kept(answer) => answer.take().map_or(Poll::Pending, Poll::Ready),
            Self::Asked(future) => future.as_mut().poll(cx),
        }
    }
}

impl fmt::Debug for AnswerFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerFuture")
    }
}

#[cfg(test)]
mod tests;
