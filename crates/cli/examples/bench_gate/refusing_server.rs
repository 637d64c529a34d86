//! The reference: axum answers every POST with 403 and does nothing else, on connections that stay open.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;

use anyhow::ensure;
use axum::{Router, body::Bytes, http::StatusCode, routing::post};
use tokio::net::TcpListener;

/// Enough that the server finds many requests each time it wakes: that is cheapest for it.
const CONNECTIONS: usize = 32;

/// A server on a thread of its own, as long as the program runs, and connections to it.
pub(crate) struct RefusingServer {
    connections: Vec<TcpStream>,
    request: Vec<u8>,
}

impl RefusingServer {
    /// A server, and connections over which `body` will be posted.
    pub(crate) fn start(body: &[u8]) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let routes = Router::new().route("/v1/records", post(|_: Bytes| async { StatusCode::FORBIDDEN }));
        thread::spawn(move || runtime.block_on(async { axum::serve(listener, routes).await }));
        let connections = (0..CONNECTIONS).map(|_| connect(address)).collect::<std::io::Result<_>>()?;
        let head = format!("POST /v1/records HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n", body.len());
        Ok(Self { connections, request: [head.as_bytes(), body].concat() })
    }

    /// Posts at least `count` requests, one on each connection at a time; returns how many were refused.
    pub(crate) fn flood(&mut self, count: u64) -> anyhow::Result<u64> {
        let mut refused = 0;
        while refused < count {
            for connection in &mut self.connections {
                connection.write_all(&self.request)?;
            }
            for connection in &mut self.connections {
                read_refusal(connection)?;
                refused += 1;
            }
        }
        Ok(refused)
    }
}

fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let connection = TcpStream::connect(address)?;
    connection.set_nodelay(true)?;
    Ok(connection)
}

/// The answer has no body, so it ends with the empty line.
fn read_refusal(connection: &mut TcpStream) -> anyhow::Result<()> {
    let (mut answer, mut length) = ([0; 512], 0);
    while !answer[..length].ends_with(b"\r\n\r\n") {
        let more = connection.read(&mut answer[length..])?;
        ensure!(more > 0, "the server ended a connection");
        length += more;
    }
    ensure!(answer.starts_with(b"HTTP/1.1 403 "), "{}", String::from_utf8_lossy(&answer[..length]));
    Ok(())
}
