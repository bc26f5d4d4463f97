//! PlaNet over HTTP, on one's own machine: photos in, places out; the page to look at them; the
//! review of a library; a match against people; and the KServe Open Inference Protocol.
//!
//! | to | use |
//! |---|---|
//! | run a server until something says that it ends | [`serve`] with [`ServeOptions`] |
//! | bind it and run it in a runtime of one's own | [`Server`] |
//! | write the page as files that need no server | [`export_site`] |
//!
//! The interface is described at `/api/openapi.json` and in docs/server.md. The server listens on
//! the loopback unless it is given a token, answers only requests that name its own host, and
//! never stores a photo that it was sent.
//!
//! ```
//! use planet_serve::{ServeOptions, serve};
//!
//! let options = ServeOptions { address: "127.0.0.1:0".parse()?, ..ServeOptions::default() };
//! // Ends at once; the command waits for Ctrl-C instead.
//! serve(options, |address| println!("listening on http://{address}"), || true)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod app;
mod error;
mod extract;
mod game;
mod guard;
mod inference;
mod metrics;
mod model;
mod outlines;
mod page;
mod review;
mod routes;
mod server;
mod site;
mod upload;

pub use review::ReviewOptions;
pub use server::{ModelOptions, ServeError, ServeOptions, Server, serve};
pub use site::{SiteError, SiteOptions, export_site};
