//! The program `planet`.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    let start = env::current_exe().into_iter().map(Into::into).collect();
    ExitCode::from(planet_cli::main(start, env::args_os()))
}
