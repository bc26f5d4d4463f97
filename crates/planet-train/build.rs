//! Compiles the C interface to libtorch's process groups, under the feature `torch` alone.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "torch")]
    process_groups::compile();
}

#[cfg(feature = "torch")]
mod process_groups {
    use std::{
        env, fs,
        path::{Path, PathBuf},
    };

    /// Headers of gloo that torch's own headers name. The source declares what it needs of them.
    const GLOO: [&str; 5] = [
        "gloo/algorithm.h",
        "gloo/common/error.h",
        "gloo/context.h",
        "gloo/rendezvous/store.h",
        "gloo/transport/device.h",
    ];

    pub fn compile() {
        const SOURCE: &str = "src/group/c10d.cc";
        println!("cargo:rerun-if-changed={SOURCE}");
        // tch's build found libtorch; its headers lie beside its libraries.
        let libraries = PathBuf::from(env::var_os("DEP_TCH_LIBTORCH_LIB").expect("set by tch"));
        let torch = libraries.parent().expect("libraries lie in a folder of libtorch's");
        let empty = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
        for header in GLOO {
            let path = empty.join(header);
            fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder is made");
            fs::write(path, "").expect("an empty file is written");
        }
        let mut build = cc::Build::new();
        build
            .cpp(true)
            .std("c++17")
            .warnings(false)
            .file(SOURCE)
            .include(empty)
            .include(torch.join("include"))
            .include(torch.join("include/torch/csrc/api/include"));
        if cfg!(feature = "nccl") {
            build.includes(cuda(torch)).define("USE_C10D_NCCL", None);
            println!("cargo:rustc-link-lib=torch_cuda");
        }
        build.compile("planet_c10d");
        println!("cargo:rustc-link-search=native={}", libraries.display());
        println!("cargo:rustc-link-lib=torch_cpu");
        println!("cargo:rustc-link-lib=c10");
    }

    /// Folders with NCCL's and CUDA's headers: in the Python packages beside torch, or where
    /// `CUDA_HOME` says.
    fn cuda(torch: &Path) -> Vec<PathBuf> {
        println!("cargo:rerun-if-env-changed=CUDA_HOME");
        let mut folders: Vec<PathBuf> = Vec::new();
        if let Some(home) = env::var_os("CUDA_HOME") {
            folders.push(PathBuf::from(home).join("include"));
        }
        if let Ok(packages) = fs::read_dir(torch.join("../nvidia")) {
            folders.extend(packages.flatten().map(|package| package.path().join("include")));
        }
        for at in 0..folders.len() {
            folders.push(folders[at].join("cccl"));
        }
        folders.retain(|folder| folder.is_dir());
        folders.sort();
        for (header, package) in [
            ("nccl.h", "nvidia-nccl-cu13, or CUDA_HOME with NCCL's headers"),
            ("cuda_runtime.h", "nvidia-cuda-runtime, or CUDA_HOME"),
            ("crt/host_config.h", "nvidia-cuda-crt, or CUDA_HOME"),
            ("nv/target", "nvidia-cuda-cccl, or CUDA_HOME"),
        ] {
            let found = folders.iter().any(|folder| folder.join(header).exists());
            assert!(found, "feature nccl: {header} was not found; it comes with {package}");
        }
        folders
    }
}
