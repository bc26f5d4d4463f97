use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

/// Keeps ONNX Runtime from recording its use for its maker: newer builds (1.32 is one) write device
/// and process into the user's cache as soon as they are loaded, to send them later.
pub fn forbid_telemetry() {
    #[expect(unsafe_code, reason = "the library asks the environment, and nothing else, in time")]
    // SAFETY: the command begins with this, before it starts threads; a program that calls the
    // command has nothing else to do.
    unsafe {
        env::set_var("ORT_DISABLE_TELEMETRY", "1");
    }
}

/// Where a libonnxruntime is searched that was not named: beside the program, in the usual library
/// folders, in the `onnxruntime` packages of the Pythons at hand. Nothing is started to look.
pub fn find() -> Option<PathBuf> {
    library_folders().into_iter().chain(python_folders()).find_map(|folder| library_in(&folder))
}

fn library_folders() -> Vec<PathBuf> {
    let beside = env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_owned()));
    let listed = env::var_os(if cfg!(windows) { "PATH" } else { "LD_LIBRARY_PATH" });
    let listed = listed.map(|paths| env::split_paths(&paths).collect()).unwrap_or_else(Vec::new);
    let usual = [
        "/usr/local/lib",
        "/usr/lib",
        "/usr/lib64",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/opt/onnxruntime/lib",
        "/opt/homebrew/lib",
    ];
    beside.into_iter().chain(listed).chain(usual.map(PathBuf::from)).collect()
}

/// `onnxruntime/capi` of every environment that is active, of the `python3` that would start,
/// and of the user and the system.
fn python_folders() -> Vec<PathBuf> {
    let mut roots: Vec<PathBuf> =
        ["VIRTUAL_ENV", "CONDA_PREFIX"].iter().filter_map(env::var_os).map(PathBuf::from).collect();
    let path = env::var_os("PATH").unwrap_or_default();
    let pythons = env::split_paths(&path).map(|folder| folder.join("python3"));
    if let Some(bin) = pythons.into_iter().find(|python| python.is_file())
        && let Some(root) = bin.parent().and_then(Path::parent)
    {
        roots.push(root.to_owned());
    }
    if let Some(home) = env::home_dir() {
        roots.push(home.join(".local"));
    }
    roots.extend(["/usr/local", "/usr"].map(PathBuf::from));

    let mut folders = Vec::new();
    for root in roots {
        // Windows keeps packages at once under Lib, others under lib/python3.11.
        let mut homes = vec![root.join("Lib")];
        homes.extend(entries(&root.join("lib")).into_iter().filter(|it| named(it, "python3")));
        for home in homes {
            for packages in ["site-packages", "dist-packages"] {
                folders.push(home.join(packages).join("onnxruntime").join("capi"));
            }
        }
    }
    folders
}

fn library_in(folder: &Path) -> Option<PathBuf> {
    let mut found = entries(folder).into_iter().filter(|path| {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        name == "onnxruntime.dll"
            || name == "libonnxruntime.so"
            || name.starts_with("libonnxruntime.so.")
            || (name.starts_with("libonnxruntime.") && name.ends_with(".dylib"))
    });
    found.next()
}

/// What lies in a folder, by name; nothing where it cannot be read.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = read.map(|entry| entry.path()).collect();
    paths.sort_unstable();
    paths
}

fn named(path: &Path, prefix: &str) -> bool {
    path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.starts_with(prefix))
}
