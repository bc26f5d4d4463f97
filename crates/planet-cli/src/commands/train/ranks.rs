use std::{env, str::FromStr};

use planet_train::{GroupError, ProcessGroup, Rendezvous};

use crate::failure::Failure;

/// Whether there are others that train together with this process.
pub fn several() -> Result<bool, Failure> {
    Ok(size()? > 1)
}

/// The processes that train together with this one, as torchrun and its like say in the
/// environment; this one alone where they say nothing.
pub fn group() -> Result<ProcessGroup, Failure> {
    let ranks = size()?;
    if ranks <= 1 {
        return Ok(ProcessGroup::alone());
    }
    let asked = |name: &str| {
        Failure::usage(format!("WORLD_SIZE is {ranks}, but {name} is not set"))
            .hint("torchrun sets both; unset WORLD_SIZE to train in one process")
    };
    let rank = number("RANK")?.ok_or_else(|| asked("RANK"))?;
    let rendezvous = Rendezvous {
        host: env::var("MASTER_ADDR").map_err(|_| asked("MASTER_ADDR"))?,
        port: number("MASTER_PORT")?.ok_or_else(|| asked("MASTER_PORT"))?,
        // torchrun holds the store itself.
        serve: env::var("TORCHELASTIC_USE_AGENT_STORE").as_deref() != Ok("True"),
        rank,
        ranks,
        local_rank: number("LOCAL_RANK")?.unwrap_or(rank),
        local_ranks: number("LOCAL_WORLD_SIZE")?.unwrap_or(1),
        attempt: number("TORCHELASTIC_RESTART_COUNT")?.unwrap_or(0),
        interface: env::var("GLOO_SOCKET_IFNAME").ok(),
    };
    ProcessGroup::join(&rendezvous).map_err(failure)
}

/// Why the ranks cannot go on, with a cure.
pub fn failure(error: GroupError) -> Failure {
    let hint = match &error {
        GroupError::NotBuilt => {
            "build it with: scripts/with-torch cargo build --release -p planet-cli --features torch"
        }
        GroupError::Join { .. } => {
            "MASTER_ADDR and MASTER_PORT must be the address of rank 0, reachable from every machine; \
             GLOO_SOCKET_IFNAME selects the network interface"
        }
        GroupError::Differs { .. } => "start every rank with the same command and files",
        _ => "start all ranks again with --resume RUN; the last checkpoint is intact",
    };
    Failure::new(error).hint(hint)
}

/// Number of processes that train together.
fn size() -> Result<usize, Failure> {
    Ok(number("WORLD_SIZE")?.unwrap_or(1))
}

/// A variable that holds a number.
fn number<T: FromStr>(name: &str) -> Result<Option<T>, Failure> {
    let Ok(text) = env::var(name) else { return Ok(None) };
    let number =
        text.parse().map_err(|_| Failure::usage(format!("{name}: '{text}' is not a number")));
    number.map(Some)
}
