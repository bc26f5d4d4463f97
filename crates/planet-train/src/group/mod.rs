//! The processes, on one machine or many, that train one model together.

#[cfg(feature = "torch")]
mod c10d;
#[cfg(feature = "torch")]
mod heartbeat;
#[cfg(feature = "torch")]
mod ranks;

use thiserror::Error;

#[cfg(feature = "torch")]
use self::ranks::Ranks;
#[cfg(feature = "torch")]
pub(crate) use self::ranks::{GradientSum, Summed};

/// The processes that train one model together, each with a number, its rank. All of them do
/// the same things in the same order: whatever one sums or waits for, all must.
///
/// A process that trains by itself is a group of one, in which nothing is sent.
#[derive(Clone, Debug, Default)]
pub struct ProcessGroup {
    /// `None` where this process is alone.
    #[cfg(feature = "torch")]
    ranks: Option<std::sync::Arc<Ranks>>,
}

/// Where the ranks of a group meet, and which one this process is: what torchrun and its like
/// say in the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendezvous {
    /// Name or address of the machine that holds the store of keys.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether rank 0 holds the store; otherwise the process that started the ranks does.
    pub serve: bool,
    /// Number of this process, from 0.
    pub rank: usize,
    /// Number of processes.
    pub ranks: usize,
    /// Number of this process on its machine: the card that it takes.
    pub local_rank: usize,
    /// Number of processes on its machine, which share its cores.
    pub local_ranks: usize,
    /// How often the job was begun again: what was said in an earlier attempt is not read.
    pub attempt: u64,
    /// The network interface by which the other machines reach this one; libtorch finds it by
    /// the machine's name where none is given.
    pub interface: Option<String>,
}

impl Rendezvous {
    /// Of a rank whose group is all on this machine; rank 0 holds the store.
    pub fn on_this_machine(port: u16, rank: usize, ranks: usize) -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port,
            serve: true,
            rank,
            ranks,
            local_rank: rank,
            local_ranks: ranks,
            attempt: 0,
            interface: None,
        }
    }
}

/// Why a group cannot go on.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum GroupError {
    /// A build without libtorch.
    #[error("this build can train only in one process")]
    NotBuilt,
    /// A number that makes no sense.
    #[error("rank {rank} of {ranks} does not exist: ranks are counted from 0")]
    Rank {
        /// The rank.
        rank: usize,
        /// The number of ranks.
        ranks: usize,
    },
    /// The others were not found.
    #[error("rank {rank} cannot connect to the others at {host}:{port}: {what}")]
    Join {
        /// This rank.
        rank: usize,
        /// Where they meet.
        host: String,
        /// Its port.
        port: u16,
        /// libtorch's reason.
        what: String,
    },
    /// Another rank is gone.
    #[error("{0}")]
    Lost(String),
    /// The network or libtorch failed, though all ranks are there.
    #[error("rank {rank} cannot exchange data with the others: {what}")]
    Broken {
        /// This rank.
        rank: usize,
        /// libtorch's reason.
        what: String,
    },
    /// Ranks that were not started alike.
    #[error("rank {rank} was started with {what} different from those of rank 0")]
    Differs {
        /// This rank.
        rank: usize,
        /// What differs.
        what: &'static str,
    },
}

impl ProcessGroup {
    /// A process that trains by itself.
    pub fn alone() -> Self {
        Self::default()
    }

    /// Joins the others; waits until all are there.
    ///
    /// # Errors
    /// A build without libtorch; ranks that do not come within ten minutes; a rank beyond the
    /// number of ranks.
    pub fn join(rendezvous: &Rendezvous) -> Result<Self, GroupError> {
        let Rendezvous { rank, ranks, .. } = *rendezvous;
        if rank >= ranks {
            return Err(GroupError::Rank { rank, ranks });
        }
        #[cfg(feature = "torch")]
        return Ok(Self { ranks: Some(std::sync::Arc::new(Ranks::join(rendezvous)?)) });
        #[cfg(not(feature = "torch"))]
        if ranks == 1 { Ok(Self::alone()) } else { Err(GroupError::NotBuilt) }
    }

    /// Number of this process, from 0.
    pub fn rank(&self) -> usize {
        #[cfg(feature = "torch")]
        return self.ranks.as_ref().map_or(0, |ranks| ranks.rank());
        #[cfg(not(feature = "torch"))]
        0
    }

    /// Number of processes.
    pub fn size(&self) -> usize {
        #[cfg(feature = "torch")]
        return self.ranks.as_ref().map_or(1, |ranks| ranks.size());
        #[cfg(not(feature = "torch"))]
        1
    }

    /// Number of processes on this machine, which share its cores.
    pub fn local_size(&self) -> usize {
        #[cfg(feature = "torch")]
        return self.ranks.as_ref().map_or(1, |ranks| ranks.local_size());
        #[cfg(not(feature = "torch"))]
        1
    }

    /// Whether this is the process that writes files and draws progress.
    pub fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// Sums numbers over all ranks, each in its place.
    ///
    /// # Errors
    /// Another rank is gone.
    pub fn sum(&self, numbers: &mut [f64]) -> Result<(), GroupError> {
        #[cfg(feature = "torch")]
        if let Some(ranks) = &self.ranks {
            return ranks.sum(numbers);
        }
        let _ = numbers;
        Ok(())
    }

    /// Puts rank 0's bytes in the place of everybody's, of whatever length.
    ///
    /// # Errors
    /// Another rank is gone.
    pub fn broadcast(&self, bytes: &mut Vec<u8>) -> Result<(), GroupError> {
        #[cfg(feature = "torch")]
        if let Some(ranks) = &self.ranks {
            return ranks.broadcast_bytes(bytes);
        }
        let _ = bytes;
        Ok(())
    }

    /// Waits until every rank has come here.
    ///
    /// # Errors
    /// Another rank is gone.
    pub fn barrier(&self) -> Result<(), GroupError> {
        self.sum(&mut [0.0])
    }

    /// Checks that all ranks say the same as rank 0; `what` names it.
    ///
    /// # Errors
    /// This one or another does not.
    pub fn same(&self, what: &'static str, text: &str) -> Result<(), GroupError> {
        let mut first = text.as_bytes().to_vec();
        self.broadcast(&mut first)?;
        if first != text.as_bytes() {
            return Err(GroupError::Differs { rank: self.rank(), what });
        }
        // A rank that differs is gone before this.
        self.barrier()
    }

    /// Ends the work in good order, when all ranks have come to its end. A group that is dropped
    /// without this tells the others that this rank ended early.
    ///
    /// # Errors
    /// Another rank is gone.
    pub fn leave(&self) -> Result<(), GroupError> {
        #[cfg(feature = "torch")]
        if let Some(ranks) = &self.ranks {
            return ranks.leave();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_by_itself_is_a_group_of_one_in_which_nothing_changes() {
        let group = ProcessGroup::alone();
        assert_eq!((group.rank(), group.size(), group.is_first()), (0, 1, true));
        let (mut numbers, mut bytes) = ([1.5, -2.0], vec![7, 8]);
        group.sum(&mut numbers).expect("nothing is sent");
        group.broadcast(&mut bytes).expect("nothing is sent");
        group.same("words", "a").expect("with itself");
        assert_eq!((numbers, bytes), ([1.5, -2.0], vec![7, 8]));
        group.leave().expect("nobody waits");
    }
}
