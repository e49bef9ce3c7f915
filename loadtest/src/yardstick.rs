//! The yardstick: the same framework, as many threads, the same bytes from memory, and nothing else.

use std::path::Path;

use actix_web::{App, HttpResponse, HttpServer, http::header::ContentType, web};

pub fn serve(body: &Path) -> anyhow::Result<()> {
    let body = web::Bytes::from(std::fs::read(body)?);
    let workers = std::thread::available_parallelism()?.get();
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            let (body, read) = (body.clone(), body.clone());
            // The body of the request is taken in, as the measured handler has to do.
            let answer = move |_asked: web::Bytes| {
                let answer = HttpResponse::Ok()
                    .content_type(ContentType::json())
                    .body(body.clone());
                std::future::ready(answer)
            };
            let read = move || {
                let answer = HttpResponse::Ok()
                    .content_type(ContentType::json())
                    .body(read.clone());
                std::future::ready(answer)
            };
            App::new()
                .route("/{anything:.*}", web::post().to(answer))
                .route("/{anything:.*}", web::get().to(read))
        })
        .workers(workers)
        .bind(("127.0.0.1", 0))?;
        if let Some(address) = server.addrs().first() {
            announce(&format!("serving at http://{address}"));
        }
        server.run().await?;
        Ok(())
    })
}

#[expect(
    clippy::print_stdout,
    reason = "whoever started it waits for this line"
)]
pub fn announce(line: &str) {
    println!("{line}");
}
