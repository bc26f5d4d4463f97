//! The page without a server: a folder of files that any web server can send, in which the browser
//! runs a model package with onnxruntime-web.

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash, Hasher},
    io,
    path::{Path, PathBuf},
};

use planet::{Locator, ModelPackage, PackageError, Prediction, package::MODEL_FILE};
use planet_data::{AtomicFile, Limits, OutputFolderError, OwnedFolder, file_hash};
use planet_geo::{ClassId, Scale};
use serde_json::{Value, json};

use crate::{
    ServeOptions, outlines,
    page::{INDEX, OFFLINE, PAGE_CSS, PAGE_JS, WORKER_JS},
    routes::state::ModelState,
};

/// What the page of a site may load: its own files, and WebAssembly among them.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' blob: data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; \
     form-action 'none'";

/// Files and folders of a site.
const NAMES: [&str; 11] = [
    "index.html",
    "page.js",
    "page.css",
    "worker.js",
    "offline.js",
    "classes.json",
    "NOTICE",
    "LICENSE-MIT",
    "api",
    "model",
    RUNTIME,
];

/// Folder of the engine in a site.
const RUNTIME: &str = "onnxruntime";
/// The files of onnxruntime-web that run a network in WebAssembly.
const RUNTIME_FILES: [&str; 3] =
    ["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"];
/// Its first and last versions that have these files and this interface: 1.20 to 1.x.
const RUNTIME_VERSIONS: (u32, u32) = (1, 20);
/// The licence that its package.json names; the npm package holds no copy of it.
const RUNTIME_LICENCE: &str = include_str!("onnxruntime-licence.txt");

/// A site to write.
#[derive(Clone, Debug)]
pub struct SiteOptions {
    /// Where it shall stand: a new folder, or one that was written as a site before.
    pub folder: PathBuf,
    /// The npm package onnxruntime-web, for example `node_modules/onnxruntime-web`.
    pub onnxruntime_web: PathBuf,
}

/// Why no site is written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SiteError {
    /// The folder is not ours or cannot be written.
    #[error(transparent)]
    Folder(#[from] OutputFolderError),
    /// The model package is not whole.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A folder that is not onnxruntime-web of a version that is known.
    #[error("{}: {what}", path.display())]
    Runtime {
        /// The file that says so.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The model's name becomes a file's name.
    #[error("the model's name '{0}' cannot be a file's name; change \"name\" in model.json")]
    Name(String),
}

fn file(path: &Path) -> impl FnOnce(io::Error) -> SiteError {
    let path = path.to_owned();
    move |source| SiteError::File { path, source }
}

/// Writes a site. `locator` is of the same package, with names.
///
/// # Errors
/// As [`SiteError`] lists. What stands in the folder may then be of two versions: browsers keep the
/// old one, since the file that names the version is written last.
pub fn export_site(
    options: &SiteOptions,
    package: &ModelPackage,
    locator: &Locator,
) -> Result<(), SiteError> {
    let runtime = Runtime::open(&options.onnxruntime_web)?;
    let name = &package.description().name;
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
        return Err(SiteError::Name(name.clone()));
    }
    OwnedFolder::claim(&options.folder, "site", &NAMES)?;
    let mut site = Site { folder: options.folder.clone(), kept: Vec::new() };
    site.keep("page.js", PAGE_JS)?;
    site.keep("page.css", PAGE_CSS)?;
    site.keep("worker.js", WORKER_JS)?;
    site.keep("classes.json", classes(locator).to_string().as_bytes())?;
    site.keep("api/land", &outlines::of_land())?;
    site.keep(&format!("api/cells/{name}"), &outlines::of_partition(package.partition()))?;
    let networks = networks(package);
    for network in &networks {
        site.copy(&package.folder().join(network), &format!("model/{network}"))?;
    }
    site.keep("api/state", state(package, &networks).to_string().as_bytes())?;
    runtime.copy(&mut site)?;
    site.write("NOTICE", include_bytes!("../../../NOTICE"))?;
    site.write("LICENSE-MIT", include_bytes!("../../../LICENSE-MIT"))?;
    site.finish()
}

/// A site in the making.
struct Site {
    folder: PathBuf,
    /// Files that the browser keeps, and their hashes.
    kept: Vec<(String, String)>,
}

impl Site {
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), SiteError> {
        let path = self.folder.join(name);
        let above = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(above).map_err(file(above))?;
        AtomicFile::write_all_at(&path, bytes).map_err(file(&path))
    }

    fn keep(&mut self, name: &str, bytes: &[u8]) -> Result<(), SiteError> {
        self.write(name, bytes)?;
        self.list(name)
    }

    /// Copies a file, which may be too large for the memory.
    fn copy(&mut self, from: &Path, name: &str) -> Result<(), SiteError> {
        let path = self.folder.join(name);
        let above = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(above).map_err(file(above))?;
        let mut source = fs::File::open(from).map_err(file(from))?;
        let mut copy = AtomicFile::create(&path).map_err(file(&path))?;
        io::copy(&mut source, &mut copy).map_err(file(&path))?;
        copy.finish().map_err(file(&path))?;
        self.list(name)
    }

    fn list(&mut self, name: &str) -> Result<(), SiteError> {
        let path = self.folder.join(name);
        self.kept.push((name.to_owned(), file_hash(&path).map_err(file(&path))?));
        Ok(())
    }

    /// Writes the page, and last what makes browsers take the new version.
    fn finish(mut self) -> Result<(), SiteError> {
        let policy =
            format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\" />");
        let charset = "<meta charset=\"utf-8\" />";
        let index = INDEX.replacen(charset, &format!("{charset}\n    {policy}"), 1);
        self.keep("index.html", index.as_bytes())?;
        let mut version = DefaultHasher::new();
        self.kept.hash(&mut version);
        let paths = self.kept.iter().map(|(path, _)| path.as_str());
        let files: Vec<&str> = ["./"].into_iter().chain(paths).collect();
        let site = json!({ "version": format!("{:016x}", version.finish()), "files": files });
        self.write("offline.js", format!("const SITE = {site};\n{OFFLINE}").as_bytes())
    }
}

/// The npm package onnxruntime-web.
struct Runtime<'a> {
    folder: &'a Path,
    version: String,
}

impl<'a> Runtime<'a> {
    /// Checks its name, version and files.
    fn open(folder: &'a Path) -> Result<Self, SiteError> {
        let path = folder.join("package.json");
        let wrong = |what: String| SiteError::Runtime { path: path.clone(), what };
        let text = fs::read_to_string(&path).map_err(file(&path))?;
        let package: Value = serde_json::from_str(&text).map_err(|it| wrong(it.to_string()))?;
        let [name, version] = ["name", "version"].map(|key| package[key].as_str().unwrap_or(""));
        if name != "onnxruntime-web" {
            return Err(wrong(format!("this is '{name}', not onnxruntime-web")));
        }
        let mut numbers = version.split('.').map(|it| it.parse::<u32>().ok());
        let (major, least) = RUNTIME_VERSIONS;
        let known = (numbers.next().flatten(), numbers.next().flatten());
        if !matches!(known, (Some(a), Some(b)) if a == major && b >= least) {
            let what = format!("version {version} is not supported; {major}.{least} or later is");
            return Err(wrong(what));
        }
        Ok(Self { folder, version: version.to_owned() })
    }

    /// Copies what runs a network, and the licences.
    fn copy(&self, site: &mut Site) -> Result<(), SiteError> {
        for name in RUNTIME_FILES {
            site.copy(&self.folder.join("dist").join(name), &format!("{RUNTIME}/{name}"))?;
        }
        site.write(&format!("{RUNTIME}/LICENSE.txt"), RUNTIME_LICENCE.as_bytes())?;
        let notice = format!(
            "onnxruntime-web {version} (https://www.npmjs.com/package/onnxruntime-web), unchanged.\n\
             Licence: LICENSE.txt. Notices of what it contains:\n\
             https://github.com/microsoft/onnxruntime/blob/v{version}/ThirdPartyNotices.txt\n",
            version = self.version,
        );
        site.write(&format!("{RUNTIME}/NOTICE.txt"), notice.as_bytes())?;
        for name in ["LICENSE", "LICENSE.txt", "ThirdPartyNotices.txt"] {
            let from = self.folder.join(name);
            if from.is_file() {
                let text = fs::read(&from).map_err(file(&from))?;
                site.write(&format!("{RUNTIME}/{name}"), &text)?;
            }
        }
        Ok(())
    }
}

/// The network's files: the graph, then its weights, which an imported network names as it likes.
fn networks(package: &ModelPackage) -> Vec<String> {
    let about = package.description();
    let of_scheme = |name: &str| about.schemes.iter().any(|scheme| name.starts_with(&scheme.file));
    // The partition is a table.
    let names = about.hashes.keys().filter(|name| *name != MODEL_FILE && !name.ends_with(".csv"));
    let weights = names.filter(|name| !of_scheme(name)).cloned();
    [MODEL_FILE.to_owned()].into_iter().chain(weights).collect()
}

/// What the server would say of itself, and what the page needs to run the model.
fn state(package: &ModelPackage, networks: &[String]) -> Value {
    let about = package.description();
    let Limits { bytes, pixels, .. } = ServeOptions::default().limits;
    let curves = json!(about.level_calibration);
    let level = |(at, scale): (usize, Scale)| {
        let mut level = curves[at].clone();
        level["name"] = scale.name().into();
        level["radius_km"] = scale.radius().km().into();
        level
    };
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "model": ModelState::of(package, Vec::new()),
        "library": null,
        "match": null,
        "report": false,
        "limits": { "photo_bytes": bytes, "pixels": pixels, "request_photos": 1 },
        "local": {
            "preprocess": about.preprocess,
            "scores": about.outputs.scores,
            "kind": about.outputs.kind,
            "temperature": about.temperature,
            "levels": Scale::ALL.into_iter().enumerate().map(level).collect::<Vec<_>>(),
            "files": networks,
            "certain": planet::LocatorOptions::default().certain,
        },
    })
}

/// What answers need of each class, in the order of the classes; null for one that is no place.
fn classes(locator: &Locator) -> Value {
    let class = |row: u32| {
        let facts = locator.facts(ClassId(row))?;
        // As the command writes it.
        let line = Prediction { candidates: vec![facts.candidate], ..Prediction::default() };
        let mut line: Value = serde_json::from_str(&line.to_json()).ok()?;
        let mut class = line["predictions"][0].take();
        class["continent"] = facts.continent.into();
        class["reach_km"] = facts.reach.km().into();
        class["shares"] = json!(facts.shares);
        Some(class)
    };
    (0..locator.partition().len() as u32).map(class).collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_onnxruntime_web_or_too_old_is_refused_by_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let refused = |text: &str| {
            fs::write(folder.path().join("package.json"), text).expect("written");
            Runtime::open(folder.path()).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert!(refused(r#"{"name":"left-pad","version":"1.30.0"}"#).contains("'left-pad'"));
        let old = refused(r#"{"name":"onnxruntime-web","version":"1.17.3"}"#);
        assert!(old.contains("package.json: version 1.17.3 is not supported"), "{old}");
        assert_eq!(refused(r#"{"name":"onnxruntime-web","version":"1.30.0"}"#), "");
    }
}
