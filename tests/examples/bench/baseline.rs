//! What HTTP costs by itself: an axum handler that reads the body and answers with a text that does not change. Runs in
//! a process of its own, with as many threads as `wasmlops serve` has.

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;

/// The argument that turns this program into the server; the answer follows it.
pub const FLAG: &str = "--serve-this-answer";

pub fn serve(answer: String) -> Result<()> {
    let answer: Arc<str> = answer.into();
    let handler = move |body: Bytes| {
        std::hint::black_box(&body);
        let answer = answer.to_string();
        async move { ([(CONTENT_TYPE, "application/json")], answer) }
    };
    let router = Router::new().route("/api/v1/endpoints/{name}/predict", post(handler));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", serde_json::json!({ "listening": format!("http://{}", listener.local_addr()?) }));
        axum::serve(listener, router).await
    })?;
    Ok(())
}
