//! `wasmlops serve`: everything that goes on while nobody calls a command. Endpoints answer, monitors watch them, the
//! inference log is kept, and HTTP is the way in.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;

use anyhow::Result;
use serde_json::json;
use tokio::sync::watch;
use wasmlops_server::http::{Server, ServerOptions};
use wasmlops_server::inference::InferenceLogs;
use wasmlops_server::monitoring::Monitoring;
use wasmlops_server::serving::view::EndpointView;
use wasmlops_server::serving::{Options, Service, Serving};

use crate::output::{Outcome, Printer};
use crate::settings::Settings;

use super::run::interrupted;

pub async fn serve(settings: &Settings, bind: SocketAddr, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let logs = InferenceLogs::open(host.store.clone(), &host.home, host.clock.clone()).await?;
    let endpoints = host.project.endpoints.clone();
    let (service, serving) = Service::new(Options { host: host.clone(), endpoints, log: Some(logs.clone()) }).await?;
    let server = Server::bind(ServerOptions { host: host.clone(), serving: serving.clone(), bind }).await?;
    announce(server.address(), printer)?;

    // First no more requests, then what answers them, so that none is lost on the way.
    let (no_requests, no_service) = (watch::Sender::new(false), watch::Sender::new(false));
    let http = async {
        server.run(stopped(no_requests.subscribe())).await;
        no_service.send_replace(true);
    };
    let service = async {
        let served = service.run(stopped(no_service.subscribe())).await;
        no_requests.send_replace(true);
        served
    };
    let upkeep = async {
        let monitoring = Monitoring::new(&host).run(no_service.subscribe());
        tokio::join!(monitoring, logs.run(stopped(no_service.subscribe())));
    };
    let stop = async {
        first_interrupt(stopped(no_requests.subscribe())).await;
        printer.say("stopping: requests that have begun are answered; interrupt again to stop at once");
        no_requests.send_replace(true);
    };
    let ((), served, (), (), ()) = tokio::join!(http, service, upkeep, stop, tell(&serving, printer));
    host.store.close().await;
    served?;
    Ok(Outcome::Done)
}

/// Where it listens: the one line on standard output.
fn announce(address: SocketAddr, printer: &Printer) -> Result<()> {
    let url = format!("http://{address}");
    let line = if printer.is_json() { json!({ "listening": url }).to_string() } else { format!("listening on {url}") };
    printer.bytes(format!("{line}\n").as_bytes())
}

/// Says of each endpoint how it begins: ready, with nothing to serve, or failing.
async fn tell(serving: &Serving, printer: &Printer) {
    for endpoint in serving.endpoints() {
        let name = &endpoint.name;
        let known = |view: &EndpointView| serving.has_looked() && (!view.is_awaited() || view.message.is_some());
        if !serving.until(name, known).await {
            return;
        }
        let Some(view) = serving.status(name) else { continue };
        printer.say(match (view.live, view.message) {
            (Some(version), _) if view.ready == Some(true) => {
                format!("endpoint `{name}` is ready with version {version} of `{}`", endpoint.model)
            }
            (_, Some(message)) => format!("endpoint `{name}` is not ready: {message}"),
            _ => format!("endpoint `{name}` waits for `{}` to name a version", view.model),
        });
    }
}

/// Ends with the first interrupt, or with `ended` before; the second interrupt ends the process.
async fn first_interrupt(ended: impl Future<Output = ()>) {
    let ended = pin!(ended);
    tokio::select! {
        () = interrupted() => {
            tokio::spawn(async {
                interrupted().await;
                std::process::abort();
            });
        }
        () = ended => {}
    }
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // A sender that is gone says the same.
    let _ = stop.wait_for(|stop| *stop).await;
}
