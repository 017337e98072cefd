//! The HTTP server of a service.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::{StatusCode, header};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use socket2::SockRef;
use tracing_actix_web::TracingLogger;
use utoipa::openapi::OpenApi;

use crate::api_docs;
use crate::config::KitConfig;
use crate::exchange;
use crate::health::{self, Health};
use crate::methods::Methods;
use crate::problem::Problem;
use crate::service::Configure;
use crate::trace::RequestSpan;

/// Longer than a proxy keeps an idle connection (nginx: 60 s), so that it never reuses one that is just being closed.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How long a client may take nothing of what is sent to it; then the kernel drops the connection and what it holds for it.
const TAKES_NOTHING_FOR: Duration = Duration::from_secs(30);

/// What is served.
pub(crate) struct Site {
    pub(crate) service: &'static str,
    pub(crate) routes: Option<(OpenApi, Configure)>,
    pub(crate) health: Health,
}

/// A server on the listener that answers once it is awaited; stopping finishes requests in hand for up to `grace`.
pub(crate) fn serve(listener: TcpListener, site: Site, config: &KitConfig, grace: Duration) -> io::Result<Server> {
    let max_body_bytes = config.max_json_bytes;
    let trusted_proxies = config.trusted_proxies();
    let Site {
        service,
        routes,
        health,
    } = site;
    let methods = web::Data::new(Methods::documented(routes.as_ref().map(|(openapi, _)| openapi)));
    let server = HttpServer::new(move || {
        let health = health.clone();
        let routes = routes.clone();
        App::new()
            .app_data(methods.clone())
            .app_data(web::Data::new(health.stopping.clone()))
            .app_data(trusted_proxies.clone())
            .app_data(web::JsonConfig::default().limit(max_body_bytes))
            .app_data(web::PayloadConfig::new(max_body_bytes))
            .app_data(web::PathConfig::default().error_handler(|error, _| Problem::of_path(&error).into()))
            .configure(health::configure(health))
            .configure(|app| add_routes(service, routes, app))
            .default_service(web::to(not_found))
            .wrap(TracingLogger::<RequestSpan>::new())
            .wrap(from_fn(exchange::surround))
    });
    // Connections have it from their listener.
    SockRef::from(&listener).set_tcp_user_timeout(Some(TAKES_NOTHING_FOR))?;
    let server = server
        .workers(config.http_workers)
        .keep_alive(KEEP_ALIVE)
        .tcp_nodelay(true)
        .disable_signals()
        .shutdown_timeout(grace.as_secs().max(1))
        .listen(listener)?;
    Ok(server.run())
}

fn add_routes(service: &'static str, routes: Option<(OpenApi, Configure)>, app: &mut web::ServiceConfig) {
    let Some((openapi, configure)) = routes else { return };
    app.configure(api_docs::configure(service, openapi));
    let configure = configure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    configure(app);
}

/// Answers what no route took: a path that exists takes other methods only.
async fn not_found(request: HttpRequest, methods: web::Data<Methods>) -> Result<HttpResponse, Problem> {
    let Some(pattern) = request.match_pattern() else {
        return Err(Problem::of_status(StatusCode::NOT_FOUND));
    };
    let problem = Problem::of_status(StatusCode::METHOD_NOT_ALLOWED);
    Err(problem.header(header::ALLOW, methods.of(&pattern)))
}
