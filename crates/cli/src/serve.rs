//! Serves a folder on this machine, as any web server would.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use axum::Router;
use tower_http::services::ServeDir;

use crate::Printer;

/// Serves `folder` until interrupted (Ctrl-C).
pub fn folder(folder: &Path, address: SocketAddr, printer: &Printer) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener =
            tokio::net::TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
        printer.note(format_args!("http://{}/site/index.html  (Ctrl-C ends)", listener.local_addr()?));
        let router = Router::new().fallback_service(ServeDir::new(folder));
        let interrupted = async { drop(tokio::signal::ctrl_c().await) };
        axum::serve(listener, router).with_graceful_shutdown(interrupted).await.context("the server failed")
    })
}
