//! `planet serve`: the page and the HTTP interface, on one's own machine.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use planet::{Locator, LocatorOptions, ModelPackage};
use planet_data::{Gazetteer, Manifest, table::TableSource};
use planet_library::writing::ProposalOptions;
use planet_serve::{
    ModelOptions, ReviewOptions, ServeError, ServeOptions, SiteOptions, export_site, serve,
};

use super::library::outside;
use crate::{
    engine_choice::EngineChoice,
    failure::Failure,
    progress::{Progress, was_interrupted},
};

/// The demo's model, which is offered where no other is named.
const DEMO_MODEL: &str = "demo/model";
/// The demo's photos for matches.
const DEMO_MATCH: &str = "demo/photos-test/manifest.parquet";

/// `planet serve [--model MODEL] [--library DIR] [--port 8080] [--open]`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Model package; by default demo/model if there is one
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Folder of a library to locate and review
    #[arg(long, value_name = "DIR")]
    library: Option<PathBuf>,
    /// File that decisions of the review are kept in, outside the library; by default the folder's
    /// name with .review.jsonl behind it, in the current folder
    #[arg(long, value_name = "FILE", requires = "library")]
    review: Option<PathBuf>,
    /// Journal of the positions that are written, outside the library; by default the folder's
    /// name with .journal behind it, in the current folder
    #[arg(long, value_name = "FILE", requires = "library")]
    journal: Option<PathBuf>,
    /// Photos of known position for matches against the model (M or M:SPLIT); by default those of
    /// the demo if there are any
    #[arg(long = "match", value_name = "M")]
    matches: Option<String>,
    /// Page of planet evaluate to show
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Port; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    port: u16,
    /// Address to listen on; other computers can reach any but the loopback, which needs --token
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    listen: IpAddr,
    /// What every request must bring: Authorization: Bearer TOKEN, or ?token=TOKEN in the page's
    /// address
    #[arg(long, value_name = "TOKEN", env = "PLANET_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Photos in work at the same time; requests beyond are refused (429)
    #[arg(long, value_name = "N", default_value = "64")]
    queue: NonZero<u16>,
    /// Open the page in the browser
    #[arg(long)]
    open: bool,
    /// Write the page and the model into a folder instead, as files for any web server: the
    /// browser locates photos by itself
    #[arg(long, value_name = "DIR", conflicts_with_all = SERVER_ONLY)]
    export_site: Option<PathBuf>,
    /// Folder of the npm package onnxruntime-web, which runs the model in the browser
    #[arg(long, value_name = "DIR", requires = "export_site")]
    onnxruntime_web: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineChoice,
}

/// Options that only a server has.
const SERVER_ONLY: [&str; 7] = ["library", "matches", "report", "listen", "token", "queue", "open"];

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(folder) = &arguments.export_site {
        return arguments.export(folder);
    }
    // Hears Ctrl-C and SIGTERM, which end a server as they should.
    let _progress = Progress::silent();
    let on_ready = |address: SocketAddr| {
        let address = format!("http://{address}/");
        anstream::eprintln!("PlaNet is at {address} (Ctrl-C ends it)");
        if arguments.open {
            open(&address);
        }
    };
    serve(arguments.options()?, on_ready, was_interrupted).map_err(failure)
}

fn failure(error: ServeError) -> Failure {
    let hint = match &error {
        ServeError::Listen { .. } => "choose another port with --port",
        ServeError::NoToken(_) => "add --token TOKEN; without it anybody could use the server",
        _ => return Failure::new(error),
    };
    Failure::new(error).hint(hint)
}

/// Shows the page; where that fails its address stands on the terminal.
fn open(address: &str) {
    let program = match std::env::consts::OS {
        "macos" => "open",
        "windows" => "explorer",
        _ => "xdg-open",
    };
    if std::process::Command::new(program).arg(address).spawn().is_err() {
        anstream::eprintln!("{program} is not available; open the address yourself");
    }
}

impl Arguments {
    fn options(&self) -> Result<ServeOptions, Failure> {
        let demo = |path: &str| Some(PathBuf::from(path)).filter(|path| path.exists());
        let model = self.model.clone().or_else(|| demo(DEMO_MODEL));
        let model = model.map(|folder| self.open(&folder)).transpose()?;
        if model.is_none() {
            anstream::eprintln!("no model is loaded; name one with --model MODEL");
        }
        let known = |path| TableSource { path, split: None };
        let matches = self.matches.as_deref().map(TableSource::parse);
        let matches = matches.or_else(|| demo(DEMO_MATCH).map(known));
        let matches = matches.map(|source| Manifest::load(&source, None));
        if let Some(report) = self.report.as_ref().filter(|report| !report.is_file()) {
            return Err(Failure::usage(format!("no such file: {}", report.display())));
        }
        Ok(ServeOptions {
            address: SocketAddr::new(self.listen, self.port),
            token: self.token.clone().filter(|token| !token.is_empty()),
            model,
            library: self.library.as_deref().map(|folder| self.library(folder)).transpose()?,
            matches: matches.transpose().map_err(Failure::new)?,
            report: self.report.clone(),
            queue: usize::from(self.queue.get()),
            ..ServeOptions::default()
        })
    }

    /// Writes the site without a server.
    fn export(&self, folder: &Path) -> Result<(), Failure> {
        let demo = || Some(PathBuf::from(DEMO_MODEL)).filter(|path| path.exists());
        let model = self.model.clone().or_else(demo).ok_or_else(|| {
            Failure::usage("--export-site needs a model").hint("name one with --model MODEL")
        })?;
        let onnxruntime_web = self.onnxruntime_web.clone().ok_or_else(|| {
            Failure::usage("--export-site needs --onnxruntime-web DIR").hint(
                "get it with: npm install --prefix . onnxruntime-web; then add \
                 --onnxruntime-web node_modules/onnxruntime-web",
            )
        })?;
        let package = ModelPackage::open(&model).map_err(Failure::new)?;
        let (about, partition) = (package.description(), package.shared_partition());
        let gazetteer = Arc::new(Gazetteer::new());
        let locator = Locator::for_model(about, partition, LocatorOptions::default(), gazetteer);
        let locator = locator.map_err(Failure::new)?;
        let options = SiteOptions { folder: folder.to_owned(), onnxruntime_web };
        export_site(&options, &package, &locator).map_err(Failure::new)?;
        let folder = folder.display();
        anstream::eprintln!("the site is in {folder}; try it: python3 -m http.server -d {folder}");
        Ok(())
    }

    fn open(&self, folder: &Path) -> Result<ModelOptions, Failure> {
        let package = ModelPackage::open(folder).map_err(Failure::new)?;
        let gazetteer = Arc::new(Gazetteer::new());
        let model = self.engine.open_model(package, ModelOptions::locator_options(), gazetteer)?;
        Ok(ModelOptions { model, engine: self.engine.options()? })
    }

    fn library(&self, folder: &Path) -> Result<ReviewOptions, Failure> {
        let folder = folder.canonicalize().map_err(Failure::file(folder))?;
        let name = folder.file_name().map(|it| it.to_string_lossy().into_owned());
        let beside = |given: &Option<PathBuf>, ending: &str| {
            let own = format!("{}.{ending}", name.as_deref().unwrap_or("library"));
            let file = given.clone().unwrap_or_else(|| PathBuf::from(own));
            outside(file, &folder, "--review and --journal")
        };
        Ok(ReviewOptions {
            decisions: beside(&self.review, "review.jsonl")?,
            journal: beside(&self.journal, "journal")?,
            proposals: ProposalOptions::default(),
            folder,
        })
    }
}
