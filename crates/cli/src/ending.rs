//! SIGINT and SIGTERM, which ask a program to end in good order.

use std::future::{Future, pending};
use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears of both from its making on; before, either ends the program at once. Make it before the program says that it is there: who
/// reads that may ask it to end in the same moment.
#[derive(Debug)]
pub struct Ending {
    runtime: Runtime,
    #[cfg(unix)]
    signals: [Signal; 2],
}

impl Ending {
    /// Listens from now on.
    pub fn listen() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        #[cfg(unix)]
        let signals = {
            let _context = runtime.enter();
            [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?]
        };
        Ok(Self {
            runtime,
            #[cfg(unix)]
            signals,
        })
    }

    /// Waits until one comes.
    pub fn wait(&mut self) {
        self.before(pending::<()>());
    }

    /// Waits so long at most; says whether one came.
    pub fn within(&mut self, time: Duration) -> bool {
        self.before(async move { tokio::time::sleep(time).await }).is_none()
    }

    /// Waits for `other`; nothing if a signal came before.
    pub fn before<T>(&mut self, other: impl Future<Output = T>) -> Option<T> {
        #[cfg(unix)]
        let [interrupt, terminate] = &mut self.signals;
        #[cfg(unix)]
        let came = async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        #[cfg(not(unix))]
        let came = async { drop(tokio::signal::ctrl_c().await) };
        self.runtime.block_on(async {
            tokio::select! {
                () = came => None,
                other = other => Some(other),
            }
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_came_before_anybody_waited_is_not_missed() {
        let mut ending = Ending::listen().unwrap();
        assert!(!ending.within(Duration::from_millis(1)));
        let own = std::process::id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &own]).status().unwrap().success());
        assert!(ending.within(Duration::from_secs(20)));
        assert_eq!(ending.before(std::future::ready(7)), Some(7), "once is once");
    }
}
