//! The layer around all routes that asks [`Admission`] first. Written by hand: a request for which a
//! permit is free costs no allocation here.

use std::{
    future::{Future, Ready, ready},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready as ready_or_pending},
    time::Duration,
};

use actix_web::{
    Error, ResponseError,
    body::{BodySize, EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    error::InternalError,
};
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use tokio::time::Sleep;

use super::{
    Admission,
    class::{Kind, Work, classify},
    count_refused,
    gate::{Gate, Permit, Shut},
    mode::{Mode, Quick},
    refusal::{Reason, Refusal},
    share,
};
use crate::accounts::LetIn;

/// Put around the routes of a server.
pub struct Layer(Admission);

impl Layer {
    pub fn new(admission: Admission) -> Self {
        Self(admission)
    }
}

type Answer<B> = Result<ServiceResponse<EitherBody<Held<B>>>, Error>;

impl<S, B> Transform<S, ServiceRequest> for Layer
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    S::Future: Unpin,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<Held<B>>>;
    type Error = Error;
    type Transform = LayerService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(LayerService {
            service: Rc::new(service),
            admission: Rc::new(self.0.clone()),
        }))
    }
}

pub struct LayerService<S> {
    service: Rc<S>,
    admission: Rc<Admission>,
}

impl<S, B> Service<ServiceRequest> for LayerService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    S::Future: Unpin,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<Held<B>>>;
    type Error = Error;
    type Future = Answering<S::Future, B>;

    forward_ready!(service);

    fn call(&self, req: ServiceRequest) -> Self::Future {
        let kind = classify(req.method(), req.match_info().as_str(), || {
            share::has_key(req.headers())
        });
        let quick = self.admission.mode().quick();
        if quick != Quick::NORMAL
            && let Some(refusal) = self.admission.refuse_by_mode(kind, quick, &req)
        {
            return Answering::Refused {
                refused: Some((req, refusal)),
                admission: Rc::clone(&self.admission),
            };
        }
        let Kind::Work(work) = kind else {
            return Answering::Open(self.service.call(req));
        };
        let gate = self.admission.gate(work.class);
        match gate.try_enter() {
            Some(permit) => Answering::Working(Working {
                inner: self.service.call(req),
                permit: Some(permit),
                deadline: self.admission.deadline(work),
                timer: None,
            }),
            None => Answering::Waiting(Box::pin(wait(
                Rc::clone(&self.service),
                Rc::clone(&self.admission),
                Arc::clone(gate),
                work,
                req,
            ))),
        }
    }
}

impl Admission {
    fn deadline(&self, work: Work) -> Duration {
        work.class.deadline(self.0.shortest_deadline)
    }

    /// Whether the mode of the service, or the part that is let in, keeps a request out.
    fn refuse_by_mode(&self, kind: Kind, quick: Quick, req: &ServiceRequest) -> Option<Refusal> {
        let writes = matches!(kind, Kind::Work(Work { writes: true, .. }));
        let begins = matches!(kind, Kind::Work(Work { begins: true, .. }));
        let let_in = LetIn(quick.admit_percent());
        let reason = match quick.mode() {
            _ if kind == Kind::Open => return None,
            Mode::Maintenance => Reason::Maintenance,
            Mode::ReadOnly if writes => Reason::ReadOnly,
            _ if begins && !share::is_in(req, let_in, &self.0.keys, &self.0.rates) => {
                Reason::NotLetIn
            }
            _ => return None,
        };
        Some(Refusal::by_mode(kind, reason, self.mode().message()))
    }
}

/// Waits for a permit, then lets the request through.
async fn wait<S, B>(
    service: Rc<S>,
    admission: Rc<Admission>,
    gate: Arc<Gate>,
    work: Work,
    req: ServiceRequest,
) -> Answer<B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: Unpin,
    B: MessageBody + 'static,
{
    let reason = match gate.enter(admission.0.queue_wait).await {
        Ok(permit) => {
            let working = Working {
                inner: service.call(req),
                permit: Some(permit),
                deadline: admission.deadline(work),
                timer: None,
            };
            return working.await;
        }
        Err(Shut::Full) => Reason::QueueFull,
        Err(Shut::Late) => Reason::WaitedTooLong,
    };
    let refusal = Refusal::overloaded(Kind::Work(work), reason, gate.turn_away());
    Ok(refuse(req, refusal, &admission))
}

fn refuse<B>(
    req: ServiceRequest,
    refusal: Refusal,
    admission: &Admission,
) -> ServiceResponse<EitherBody<Held<B>>> {
    count_refused(refusal.kind, refusal.reason);
    let answer = refusal.answer(req.headers(), admission.0.page.as_ref());
    req.into_response(answer.map_into_right_body())
}

/// A request on its way through the layer.
pub enum Answering<F, B> {
    Open(F),
    Working(Working<F>),
    Waiting(LocalBoxFuture<'static, Answer<B>>),
    /// Answered when it is polled, where the id of the request is known.
    Refused {
        refused: Option<(ServiceRequest, Refusal)>,
        admission: Rc<Admission>,
    },
}

impl<F, B> Future for Answering<F, B>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>> + Unpin,
    B: MessageBody,
{
    type Output = Answer<B>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Open(inner) => {
                let answer = ready_or_pending!(Pin::new(inner).poll(cx));
                Poll::Ready(answer.map(|response| hold(response, None)))
            }
            Self::Working(working) => Pin::new(working).poll(cx),
            Self::Waiting(waiting) => waiting.as_mut().poll(cx),
            Self::Refused { refused, admission } => match refused.take() {
                Some((req, refusal)) => Poll::Ready(Ok(refuse(req, refusal, admission))),
                None => Poll::Pending,
            },
        }
    }
}

/// A request in work, until its deadline.
pub struct Working<F> {
    inner: F,
    permit: Option<Permit>,
    deadline: Duration,
    /// Set when there is something to wait for: what is answered from memory needs none.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<F, B> Future for Working<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>> + Unpin,
    B: MessageBody,
{
    type Output = Answer<B>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(answer) = Pin::new(&mut self.inner).poll(cx) {
            let permit = self.permit.take();
            return Poll::Ready(answer.map(|response| hold(response, permit)));
        }
        let deadline = self.deadline;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(deadline)));
        ready_or_pending!(timer.as_mut().poll(cx));
        let Some(permit) = self.permit.take() else {
            return Poll::Pending;
        };
        // The request is with whoever works on it, so there is nothing to make an answer of but an
        // error; what is in work ends when this is dropped.
        let problem = Refusal::unfinished(permit.class());
        let response = problem.error_response();
        count_refused(Kind::Work(Work::of(permit.class())), Reason::Unfinished);
        Poll::Ready(Err(InternalError::from_response(problem, response).into()))
    }
}

/// Keeps the permit until a streamed body is handed over; what has a size was made already.
fn hold<B: MessageBody>(
    response: ServiceResponse<B>,
    permit: Option<Permit>,
) -> ServiceResponse<EitherBody<Held<B>>> {
    response
        .map_body(|_, body| {
            let is_stream = matches!(body.size(), BodySize::Stream);
            Held {
                permit: permit.filter(|_| is_stream),
                body,
            }
        })
        .map_into_left_body()
}

/// A body with the permit under which it is made.
pub struct Held<B> {
    body: B,
    permit: Option<Permit>,
}

impl<B: MessageBody + Unpin> MessageBody for Held<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(cx)
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        let Self { body, permit } = self;
        body.try_into_bytes().map_err(|body| Self { body, permit })
    }
}
