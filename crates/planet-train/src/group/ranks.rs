use std::{net::IpAddr, sync::Arc, time::Duration};

use tch::{Device, Kind, Tensor};

use super::{
    Group, GroupError, Rendezvous,
    c10d::{self, Buckets, ProcessGroup, Store},
    watch::{Ending, Watch},
};

/// How long a rank waits for the others to start: machines come up one after the other.
const JOIN: Duration = Duration::from_secs(600);

/// How long a rank waits for the others' numbers. Rank 0 may be writing, and a rank that is gone
/// is found by [`Watch`], much sooner.
const EXCHANGE: Duration = Duration::from_secs(1800);

/// Bytes of gradients that travel together: PyTorch's measure too.
const BUCKET: usize = 25 << 20;

/// This process among several.
#[derive(Debug)]
pub(super) struct Ranks {
    rank: usize,
    size: usize,
    group: Arc<ProcessGroup>,
    watch: Watch,
    // The last to go: rank 0 may hold it for the others.
    _store: Store,
}

impl Ranks {
    pub(super) fn join(rendezvous: &Rendezvous) -> Result<Self, GroupError> {
        let Rendezvous { ref host, port, serve, rank, ranks, attempt, gpu, .. } = *rendezvous;
        let failed = |what| GroupError::Join { rank, host: host.clone(), port, what };
        if gpu && !c10d::has_nccl() {
            let what = "this build has no NCCL: NCCL's and CUDA's headers were not beside libtorch";
            return Err(failed(what.to_owned()));
        }
        let prefix = format!("planet/{attempt}");
        let serves = serve && rank == 0;
        let store =
            Store::connect((host, port), serves, ranks, &prefix, JOIN).map_err(failed)?;
        let interface = rendezvous.interface.as_deref().unwrap_or_default();
        // Ranks that meet on this machine alone need no other network.
        let address = if is_loopback(host) { "127.0.0.1" } else { "" };
        let group =
            ProcessGroup::join(&store, (rank, ranks), (address, interface), gpu, EXCHANGE)
                .map_err(failed)?;
        let group = Arc::new(group);
        let holder = match serve {
            true => format!("rank 0, which holds the store at {host}:{port},"),
            false => format!("whoever started the ranks and holds the store at {host}:{port}"),
        };
        let watch =
            Watch::start(&store, (rank, ranks), Arc::clone(&group), holder).map_err(failed)?;
        Ok(Self { rank, size: ranks, group, watch, _store: store })
    }

    pub(super) fn rank(&self) -> usize {
        self.rank
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn sum(&self, numbers: &mut [f64]) -> Result<(), GroupError> {
        let sums = Tensor::from_slice(numbers);
        self.explain(self.group.sum([&sums]))?;
        sums.copy_data(numbers, numbers.len());
        Ok(())
    }

    pub(super) fn broadcast_bytes(&self, bytes: &mut Vec<u8>) -> Result<(), GroupError> {
        let length = Tensor::from_slice(&[bytes.len() as i64]);
        self.broadcast([&length])?;
        let length = usize::try_from(length.int64_value(&[0])).expect("a length");
        bytes.resize(length, 0);
        if length > 0 {
            let all = Tensor::from_slice(bytes);
            self.broadcast([&all])?;
            all.copy_data(bytes, length);
        }
        Ok(())
    }

    fn broadcast<'a>(
        &self,
        tensors: impl IntoIterator<Item = &'a Tensor>,
    ) -> Result<(), GroupError> {
        self.explain(self.group.broadcast(tensors))
    }

    pub(super) fn leave(&self) -> Result<(), GroupError> {
        let mine = Tensor::zeros([1], (Kind::Float, Device::Cpu));
        self.explain(self.group.sum([&mine]))?;
        self.watch.end(Ending::InOrder);
        Ok(())
    }

    /// What failed, in terms of ranks: libtorch knows only of connections.
    fn explain<T>(&self, result: Result<T, String>) -> Result<T, GroupError> {
        result.map_err(|what| match self.watch.lost() {
            Some(lost) => GroupError::Lost(lost),
            None => GroupError::Broken { rank: self.rank, what },
        })
    }
}

impl Drop for Ranks {
    fn drop(&mut self) {
        if !self.watch.end(Ending::Early) {
            // libtorch would wait for the ranks that are lost: its group is never freed.
            std::mem::forget(Arc::clone(&self.group));
        }
    }
}

/// Whether a host is this machine, by the addresses that never leave it.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Gradients of a network's parameters, made the mean over all ranks while the backward pass
/// goes on.
#[derive(Debug)]
pub(crate) struct GradientSum {
    // Before the group that it works in.
    buckets: Buckets,
    ranks: Arc<Ranks>,
}

impl GradientSum {
    /// Before the backward pass of this loss, a mean over the rank's photos.
    pub(crate) fn begin(&self, loss: &Tensor) -> Result<(), GroupError> {
        self.ranks.explain(self.buckets.begin(loss))
    }

    /// After it: every gradient is the mean over all ranks' photos, in the same place. Gives the
    /// mean loss, so that all ranks find alike whether it is a number.
    pub(crate) fn finish(&self) -> Result<Tensor, GroupError> {
        self.ranks.explain(self.buckets.finish())
    }

    /// In how many pieces the gradients travel.
    pub(crate) fn pieces(&self) -> usize {
        self.buckets.count()
    }
}

impl Group {
    /// Sums the gradients of these parameters from now on; `None` in a group of one.
    pub(crate) fn gradient_sum<'a>(
        &self,
        parameters: impl IntoIterator<Item = &'a Tensor>,
    ) -> Result<Option<GradientSum>, GroupError> {
        let Some(ranks) = &self.ranks else { return Ok(None) };
        let buckets = ranks.explain(Buckets::new(&ranks.group, parameters, BUCKET))?;
        Ok(Some(GradientSum { buckets, ranks: Arc::clone(ranks) }))
    }

    /// The sum of a tensor over all ranks, through which gradients go back; the group must live
    /// until the backward pass is done.
    pub(crate) fn sum_with_gradient(&self, values: &Tensor) -> Result<Tensor, GroupError> {
        match &self.ranks {
            Some(ranks) => ranks.explain(ranks.group.sum_with_gradient(values)),
            None => Ok(values.shallow_clone()),
        }
    }

    /// Puts rank 0's tensors in the place of everybody's.
    pub(crate) fn broadcast_tensors<'a>(
        &self,
        tensors: impl IntoIterator<Item = &'a Tensor>,
    ) -> Result<(), GroupError> {
        match &self.ranks {
            Some(ranks) => ranks.broadcast(tensors),
            None => Ok(()),
        }
    }
}
