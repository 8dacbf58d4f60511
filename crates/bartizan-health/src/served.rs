//! Endpoints in service: their answers, kept as long as nothing in them changes.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
    task::{Context, Poll, ready},
};

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

impl Served {
    pub(crate) fn new(endpoints: Endpoints) -> Arc<Self> {
        Arc::new(Self { endpoints, answers: RwLock::default() })
    }

    /// The answer to a plain probe that holds: what nearly every probe gets. None for all that takes a closer look.
    fn at_once(&self, probe: &Probe, method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Arc<Response<Bytes>>> {
        if method != Method::GET || uri.query().is_some() {
            return None;
        }
        let sight = self.endpoints.sight_by_headers(headers)?;
        self.kept(probe, sight, Form::of(probe, uri, headers))
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
    /// The request again, if it is for none of the endpoints, or the caller may not know that it is.
    #[inline]
    pub(crate) fn new<B>(served: &Arc<Served>, request: Request<B>) -> Result<Self, Request<B>> {
        let Some(probe) = served.endpoints.probe(request.uri().path()) else { return Err(request) };
        if let Some(kept) = served.at_once(&probe, request.method(), request.uri(), request.headers()) {
            return Ok(Self { answer: AnswerNow::Known(kept), head_only: false });
        }
        let (parts, body) = request.into_parts();
        match served.endpoints.ask(probe, &parts) {
            Some(ask) => Ok(Self::asked(served, ask, &parts.method)),
            None => Err(Request::from_parts(parts, body)),
        }
    }

    fn asked(served: &Arc<Served>, ask: Ask, method: &Method) -> Self {
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
        let head_only = self.head_only;
        let asked;
        let answer = match &mut self.answer {
            AnswerNow::Known(answer) => answer,
            AnswerNow::Asked(future) => {
                asked = ready!(future.as_mut().poll(cx));
                &asked
            }
        };
        let body = if head_only { Bytes::new() } else { answer.body().clone() };
        let mut response = Response::new(body);
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
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
