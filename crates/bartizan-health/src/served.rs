//! Endpoints in service: their answers, kept as long as nothing in them changes.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
    task::{Context, Poll, ready},
};

use bartizan_core::AnswerFuture;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri};
use tokio::time::Instant;

use crate::{
    Answer, Endpoints, Probe,
    exposure::Sight,
    request::{Ask, Form},
};

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
    answers: RwLock<Vec<Kept>>,
}

/// An answer, ready to be given: to copy a head is cheaper than to make it.
struct Kept {
    probe: Probe,
    sight: Sight,
    form: Form,
    response: Arc<Response<Bytes>>,
    generation: u64,
    until: Instant,
}

impl Kept {
    fn answers(&self, probe: &Probe, sight: Sight, form: Form) -> bool {
        (self.sight, self.form) == (sight, form) && self.probe == *probe
    }
}

/// What a first look at a request finds.
enum Look {
    /// It is for none of the endpoints.
    Elsewhere,
    /// A plain probe, whose answer is known: nearly every one.
    Kept(Arc<Response<Bytes>>),
    /// A probe that takes a closer look.
    Closer(Probe),
}

impl Served {
    pub(crate) fn new(endpoints: Endpoints) -> Arc<Self> {
        Arc::new(Self { endpoints, answers: RwLock::default() })
    }

    /// Answers a probe, and hands all else on: what is for none of the endpoints, and what the caller may not know of.
    #[inline]
    pub(crate) fn respond<B, F>(
        self: &Arc<Self>,
        request: Request<B>,
        inner: impl FnOnce(Request<B>) -> F,
    ) -> AnswerFuture<F, ProbeFuture> {
        let probe = match self.look(request.method(), request.uri(), request.headers()) {
            Look::Elsewhere => return AnswerFuture::inner(inner(request)),
            Look::Kept(kept) => {
                return AnswerFuture::answer(ProbeFuture {
                    answer: AnswerNow::Known(kept),
                    head_only: false,
                });
            }
            Look::Closer(probe) => probe,
        };
        let (parts, body) = request.into_parts();
        match self.endpoints.ask(probe, &parts) {
            Some(ask) => AnswerFuture::answer(ProbeFuture::new(self, ask, &parts.method)),
            None => AnswerFuture::inner(inner(Request::from_parts(parts, body))),
        }
    }

    fn look(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Look {
        let Some(probe) = self.endpoints.probe(uri.path()) else { return Look::Elsewhere };
        if method != Method::GET || uri.query().is_some() {
            return Look::Closer(probe);
        }
        let Some(sight) = self.endpoints.sight_by_headers(headers) else { return Look::Closer(probe) };
        match self.kept(&probe, sight, Form::of(&probe, uri, headers)) {
            Some(kept) => Look::Kept(kept),
            None => Look::Closer(probe),
        }
    }

    /// The answer that was given before and still holds. No check is run for it, and none is due.
    fn kept(&self, probe: &Probe, sight: Sight, form: Form) -> Option<Arc<Response<Bytes>>> {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        let kept = answers.iter().find(|kept| kept.answers(probe, sight, form))?;
        let holds = kept.generation == self.endpoints.generation() && Instant::now() < kept.until;
        holds.then(|| Arc::clone(&kept.response))
    }

    async fn answer(&self, ask: Ask) -> Arc<Response<Bytes>> {
        let Rendered { answer, generation, until } = self.endpoints.rendered(&ask).await;
        let response = Arc::new(answer.into_response());
        if let Some(until) = until.filter(|_| ask.excluded.is_empty()) {
            let Ask { probe, sight, form, .. } = ask;
            let mut answers = self.answers.write().unwrap_or_else(PoisonError::into_inner);
            let known = answers.iter().position(|kept| kept.answers(&probe, sight, form));
            let anew = Kept { probe, sight, form, response: Arc::clone(&response), generation, until };
            match known.and_then(|known| answers.get_mut(known)) {
                Some(kept) => *kept = anew,
                None => answers.push(anew),
            }
        }
        response
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

/// The answer to a probe, on its way.
pub struct ProbeFuture {
    answer: AnswerNow,
    head_only: bool,
}

/// Boxed where it is not known, as only who has to wait pays for it.
enum AnswerNow {
    Known(Arc<Response<Bytes>>),
    Asked(Pin<Box<dyn Future<Output = Arc<Response<Bytes>>> + Send>>),
}

impl ProbeFuture {
    fn new(served: &Arc<Served>, ask: Ask, method: &Method) -> Self {
        let refused = Answer::without_document(method).map(|answer| Arc::new(answer.into_response()));
        let known = refused.or_else(|| {
            let all = ask.excluded.is_empty();
            if all { served.kept(&ask.probe, ask.sight, ask.form) } else { None }
        });
        let served = Arc::clone(served);
        let answer = match known {
            Some(answer) => AnswerNow::Known(answer),
            None => AnswerNow::Asked(Box::pin(async move { served.answer(ask).await })),
        };
        Self { answer, head_only: method == Method::HEAD }
    }
}

impl Future for ProbeFuture {
    type Output = Response<Bytes>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response<Bytes>> {
        let mut response = match &mut self.answer {
            AnswerNow::Known(answer) => Response::clone(answer),
            AnswerNow::Asked(future) => Response::clone(&*ready!(future.as_mut().poll(cx))),
        };
        if self.head_only {
            *response.body_mut() = Bytes::new();
        }
        Poll::Ready(response)
    }
}

impl fmt::Debug for ProbeFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProbeFuture")
    }
}

#[cfg(test)]
mod tests;
