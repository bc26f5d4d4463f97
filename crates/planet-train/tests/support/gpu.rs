//! The graphics card that tests train on.

use planet_train::GpuApi;

/// The device, `vulkan` where this build has it; nothing, with a word, where there is none.
pub fn device() -> Option<String> {
    let apis = [GpuApi::Vulkan, GpuApi::Metal, GpuApi::Cuda, GpuApi::Rocm, GpuApi::Wgpu];
    let api = apis.into_iter().find(|api| api.is_built()).expect("a build with burn");
    if api.cards().is_empty() {
        #[allow(
            clippy::print_stderr,
            reason = "who runs the test must know that it tested nothing"
        )]
        {
            eprintln!(
                "skipped: {api} finds no graphics card; docs/training-backends.md has a cure"
            );
        }
        return None;
    }
    Some(api.to_string())
}
