//! `demo.v1.Echo`: put your service in the place of this one.

use std::pin::Pin;

use futures_util::{Stream, StreamExt, stream};
use tonic::{Code, Request, Response, Status, Streaming};

use crate::pb::{EchoReply, EchoRequest, echo_server};

/// Says back what it is told, and ends as it is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Echo;

type Replies = Pin<Box<dyn Stream<Item = Result<EchoReply, Status>> + Send>>;

#[tonic::async_trait]
impl echo_server::Echo for Echo {
    type ServerStreamStream = Replies;
    type BidiStream = Replies;

    async fn unary(&self, request: Request<EchoRequest>) -> Result<Response<EchoReply>, Status> {
        let request = request.into_inner();
        ending(&request).await?;
        Ok(Response::new(reply(&request)))
    }

    async fn server_stream(&self, request: Request<EchoRequest>) -> Result<Response<Replies>, Status> {
        let request = request.into_inner();
        if request.replies == 0 {
            ending(&request).await?;
        }
        let replies = stream::iter((0..request.replies).map({
            let reply = reply(&request);
            move |_| Ok(reply.clone())
        }));
        let end = stream::once(async move { ending(&request).await.err() })
            .filter_map(|error| async { error.map(Err) });
        Ok(Response::new(Box::pin(replies.chain(end))))
    }

    async fn client_stream(
        &self,
        request: Request<Streaming<EchoRequest>>,
    ) -> Result<Response<EchoReply>, Status> {
        let mut requests = request.into_inner();
        let mut text = String::new();
        while let Some(request) = requests.message().await? {
            ending(&request).await?;
            text.push_str(&request.text);
        }
        Ok(Response::new(EchoReply { text }))
    }

    async fn bidi(&self, request: Request<Streaming<EchoRequest>>) -> Result<Response<Replies>, Status> {
        let replies = request.into_inner().then(|request| async {
            let request = request?;
            ending(&request).await?;
            Ok(reply(&request))
        });
        Ok(Response::new(Box::pin(replies)))
    }
}

fn reply(request: &EchoRequest) -> EchoReply {
    EchoReply { text: request.text.clone() }
}

/// Ends as the request asks.
async fn ending(request: &EchoRequest) -> Result<(), Status> {
    assert!(!request.panic, "asked to");
    if request.hang {
        tracing::info!("hanging, as asked");
        std::future::pending::<()>().await;
    }
    match Code::from_i32(i32::try_from(request.code).unwrap_or(-1)) {
        Code::Ok => Ok(()),
        code => Err(Status::new(code, "as asked")),
    }
}
