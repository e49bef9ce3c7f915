//! Where features add their handlers: to a server that answers, or to the document that describes
//! them. A document takes some ten megabytes while it is collected, so servers do without.

use actix_web::{dev::HttpServiceFactory, web};
use utoipa_actix_web::{OpenApiFactory, service_config::ServiceConfig};

pub struct Routes<'a>(Target<'a>);

enum Target<'a> {
    Server(&'a mut web::ServiceConfig),
    Document(&'a mut ServiceConfig<'a>),
}

impl<'a> Routes<'a> {
    /// Of a server that answers.
    pub fn of_server(config: &'a mut web::ServiceConfig) -> Self {
        Self(Target::Server(config))
    }

    /// Of a server that only tells what its handlers say of themselves.
    pub fn of_document(config: &'a mut ServiceConfig<'a>) -> Self {
        Self(Target::Document(config))
    }

    /// Adds a handler.
    pub fn service<F>(&mut self, handler: F) -> &mut Self
    where
        F: HttpServiceFactory + OpenApiFactory + 'static,
    {
        match &mut self.0 {
            Target::Server(config) => {
                config.service(handler);
            }
            Target::Document(config) => {
                config.service(handler);
            }
        }
        self
    }
}
