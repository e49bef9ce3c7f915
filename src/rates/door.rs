//! The layer that lets calls pass or refuses them, before their bodies are read.

use std::{
    future::{Future, Ready, ready},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready as ready_or_wait},
};

use actix_web::{
    Error, HttpMessage, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::header::HeaderMap,
};
use futures_util::future::{Either, LocalBoxFuture};

use super::{Rates, charges::Charges, headers, limit::Standing};
use crate::{
    accounts::{Departed, TokenKeys},
    http::events,
};

/// The layer.
pub struct Door {
    rates: Rates,
    keys: TokenKeys,
    departed: Departed,
}

impl Door {
    pub fn new(rates: Rates, keys: TokenKeys, departed: Departed) -> Self {
        Self {
            rates,
            keys,
            departed,
        }
    }
}

impl<S, B> Transform<S, ServiceRequest> for Door
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = DoorService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, Self::InitError>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(DoorService {
            service: Rc::new(service),
            rates: self.rates.clone(),
            keys: self.keys.clone(),
            departed: self.departed.clone(),
        }))
    }
}

pub struct DoorService<S> {
    service: Rc<S>,
    rates: Rates,
    keys: TokenKeys,
    departed: Departed,
}

impl<S, B> Service<ServiceRequest> for DoorService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future =
        Either<Admitted<S::Future>, LocalBoxFuture<'static, Result<Self::Response, Self::Error>>>;

    forward_ready!(service);

    fn call(&self, req: ServiceRequest) -> Self::Future {
        let rates = self.rates.clone();
        let charges = rates.charges(&req, &self.keys, &self.departed);
        let stopped = match rates.admit_quickly(&charges) {
            Ok(standing) => {
                return Either::Left(Admitted {
                    answering: self.service.call(req),
                    rates,
                    charges,
                    standing,
                });
            }
            Err(stopped) => stopped,
        };
        let service = Rc::clone(&self.service);
        Either::Right(Box::pin(async move {
            match rates.admit(&charges, stopped).await {
                Ok(standing) => {
                    let answering = service.call(req);
                    let admitted = Admitted {
                        answering,
                        rates,
                        charges,
                        standing,
                    };
                    admitted.await
                }
                Err(refused) => {
                    let problem = rates.refuse(refused);
                    let mut response = if events::is_stream(req.match_info().as_str()) {
                        events::later()
                    } else {
                        problem.error_response()
                    };
                    rates.tell(response.headers_mut(), refused);
                    Ok(req.into_response(response.map_into_right_body()))
                }
            }
        }))
    }
}

pin_project_lite::pin_project! {
    /// A call that passed, until it is answered.
    pub struct Admitted<F> {
        #[pin]
        answering: F,
        rates: Rates,
        charges: Charges,
        standing: Option<Standing>,
    }
}

impl<F, B> Future for Admitted<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
{
    type Output = Result<ServiceResponse<EitherBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready_or_wait!(this.answering.poll(cx))?;
        if let Some(hash) = this.charges.key {
            this.rates.judge_key(this.charges, hash, &response);
        }
        if let Some(standing) = *this.standing {
            let charged = response.request().extensions().get::<Standing>().copied();
            this.rates
                .tell(response.headers_mut(), charged.unwrap_or(standing));
        }
        Poll::Ready(Ok(response.map_into_left_body()))
    }
}

impl Rates {
    fn tell(&self, answer: &mut HeaderMap, standing: Standing) {
        if let Some(rule) = self.rule(standing.limit) {
            headers::add(answer, rule, standing);
        }
    }
}
