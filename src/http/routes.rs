//! Where features add their handlers: to a server that answers, or to the document that describes
//! them. A document takes megabytes while it is collected, so servers do without.

use actix_web::{dev::HttpServiceFactory, web};
use utoipa::openapi::{Components, OpenApi};
use utoipa_actix_web::OpenApiFactory;

pub struct Routes<'a>(Target<'a>);

enum Target<'a> {
    Server(&'a mut web::ServiceConfig),
    Document(&'a mut OpenApi),
}

impl<'a> Routes<'a> {
    /// Of a server that answers.
    pub fn of_server(config: &'a mut web::ServiceConfig) -> Self {
        Self(Target::Server(config))
    }

    /// Collects what the handlers say of themselves.
    pub fn of_document(document: &'a mut OpenApi) -> Self {
        Self(Target::Document(document))
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
            Target::Document(document) => {
                document.paths.merge(handler.paths());
                let mut schemas = Vec::new();
                handler.schemas(&mut schemas);
                let components = document.components.get_or_insert_with(Components::new);
                components.schemas.extend(schemas);
            }
        }
        self
    }
}
