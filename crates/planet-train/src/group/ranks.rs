use std::{net::IpAddr, ops::Range, sync::Arc, time::Duration};

use tch::{Device, Kind, TchError, Tensor};

use super::{
    GroupError, ProcessGroup, Rendezvous,
    c10d::{Buckets, C10dGroup, Store, Window},
    heartbeat::{Exit, Heartbeat},
};

/// How long a rank waits for the others to start: machines come up one after the other.
const JOIN: Duration = Duration::from_secs(600);

/// How long a rank waits for the others' numbers. Rank 0 may be writing, and a rank that is gone
/// is found by [`Heartbeat`], much sooner.
const EXCHANGE: Duration = Duration::from_secs(1800);

/// Bytes of gradients that travel together: PyTorch's measure too.
const BUCKET: i64 = 25 << 20;

/// This process among several.
#[derive(Debug)]
pub(super) struct Ranks {
    rank: usize,
    size: usize,
    /// Number of this process on its machine.
    local: usize,
    /// Number of processes on its machine.
    local_size: usize,
    group: Arc<C10dGroup>,
    heartbeat: Heartbeat,
    /// The last to go: rank 0 may hold it for the others.
    store: Store,
}

impl Ranks {
    pub(super) fn join(rendezvous: &Rendezvous) -> Result<Self, GroupError> {
        let Rendezvous { ref host, port, serve, rank, ranks, attempt, .. } = *rendezvous;
        let failed = |what| GroupError::Join { rank, host: host.clone(), port, what };
        let prefix = format!("planet/{attempt}");
        let serves = serve && rank == 0;
        let store = Store::connect((host, port), serves, ranks, &prefix, JOIN).map_err(failed)?;
        let interface = rendezvous.interface.as_deref().unwrap_or_default();
        // Ranks that meet on this machine alone need no other network.
        let address = if is_loopback(host) { "127.0.0.1" } else { "" };
        let group = C10dGroup::join(&store, (rank, ranks), (address, interface), EXCHANGE)
            .map_err(failed)?;
        let group = Arc::new(group);
        let holder = match serve {
            true => format!("rank 0, which provides the store at {host}:{port},"),
            false => format!("the launcher, which provides the store at {host}:{port},"),
        };
        let heartbeat =
            Heartbeat::start(&store, (rank, ranks), Arc::clone(&group), holder).map_err(failed)?;
        let (local, local_size) = (rendezvous.local_rank, rendezvous.local_ranks.max(1));
        Ok(Self { rank, size: ranks, local, local_size, group, heartbeat, store })
    }

    pub(super) fn rank(&self) -> usize {
        self.rank
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn local_size(&self) -> usize {
        self.local_size
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
        self.heartbeat.end(Exit::InOrder);
        Ok(())
    }

    /// What failed, in terms of ranks: libtorch knows only of connections.
    fn explain<T>(&self, result: Result<T, String>) -> Result<T, GroupError> {
        result.map_err(|what| self.explain_text(what))
    }

    fn explain_text(&self, what: String) -> GroupError {
        match self.heartbeat.lost() {
            Some(lost) => GroupError::Lost(lost),
            None => GroupError::Broken { rank: self.rank, what },
        }
    }
}

impl Drop for Ranks {
    fn drop(&mut self) {
        if !self.heartbeat.end(Exit::Early) {
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
    flat: Tensor,
    ranks: Arc<Ranks>,
}

/// A parameter, and where its gradient lies in the flat tensor of them all.
pub(crate) struct Summed<'a> {
    pub(crate) parameter: &'a Tensor,
    pub(crate) place: Tensor,
    /// Numbers of the flat tensor, the room up to the next parameter included.
    pub(crate) range: Range<i64>,
}

impl GradientSum {
    /// Before the backward pass of this loss, a mean over the rank's photos.
    pub(crate) fn begin(&self, loss: &Tensor) -> Result<(), GroupError> {
        self.ranks.explain(self.buckets.begin(loss))
    }

    /// After it: the gradients, the mean over all ranks' photos, until the next pass begins; and
    /// the mean loss, so that all ranks find alike whether it is a number.
    pub(crate) fn finish(&self) -> Result<(f64, Tensor), GroupError> {
        let loss = self.ranks.explain(self.buckets.finish())?;
        Ok((loss.double_value(&[]), self.flat.shallow_clone()))
    }

    /// What failed in the backward pass, which sends gradients.
    pub(crate) fn explain(&self, error: &TchError) -> GroupError {
        self.ranks.explain_text(error.to_string())
    }
}

/// Numbers of buckets for these ranges of a flat tensor, and the buckets' own ranges: the last
/// parameters first, as the backward pass comes to them, each as long as it takes to reach a
/// length.
fn buckets(ranges: &[Range<i64>], length: i64) -> (Vec<usize>, Vec<Range<i64>>) {
    let (mut of, mut all): (_, Vec<Range<i64>>) = (vec![0; ranges.len()], Vec::new());
    for (at, range) in ranges.iter().enumerate().rev() {
        match all.last_mut() {
            Some(bucket) if bucket.end - bucket.start < length => bucket.start = range.start,
            _ => all.push(range.clone()),
        }
        of[at] = all.len() - 1;
    }
    (of, all)
}

impl ProcessGroup {
    /// Makes the gradients of these parameters, which lie one behind the other in `flat`, the
    /// mean over all ranks from now on; `None` in a group of one.
    pub(crate) fn gradient_sum(
        &self,
        flat: Tensor,
        parameters: Vec<Summed<'_>>,
    ) -> Result<Option<GradientSum>, GroupError> {
        let Some(ranks) = &self.ranks else { return Ok(None) };
        if flat.device().is_cuda() && cfg!(feature = "nccl") {
            ranks.explain(ranks.group.join_nccl(&ranks.store, ranks.rank, EXCHANGE))?;
        }
        let ranges: Vec<_> = parameters.iter().map(|it| it.range.clone()).collect();
        let (of, ranges) = buckets(&ranges, BUCKET / 4);
        let flats: Vec<Tensor> = ranges
            .iter()
            .map(|range| flat.f_narrow(0, range.start, range.end - range.start))
            .collect::<Result<_, _>>()
            .map_err(|error| ranks.explain_text(error.to_string()))?;
        let windows: Vec<_> = parameters.into_iter().zip(of).collect();
        let windows: Vec<Window<'_>> = windows
            .into_iter()
            .map(|(Summed { parameter, place, .. }, bucket)| Window { parameter, place, bucket })
            .collect();
        let buckets = ranks.explain(Buckets::new(&ranks.group, &flats, &windows))?;
        Ok(Some(GradientSum { buckets, flat, ranks: Arc::clone(ranks) }))
    }

    /// The sum of a tensor over all ranks, through which gradients go back; the group must live
    /// until the backward pass is done.
    pub(crate) fn sum_with_gradient(&self, values: &Tensor) -> Result<Tensor, GroupError> {
        match &self.ranks {
            Some(ranks) => ranks.explain(ranks.group.sum_with_gradient(values)),
            None => Ok(values.shallow_clone()),
        }
    }

    /// Puts rank 0's tensor in the place of everybody's.
    pub(crate) fn broadcast_tensor(&self, tensor: &Tensor) -> Result<(), GroupError> {
        match &self.ranks {
            Some(ranks) => ranks.broadcast([tensor]),
            None => Ok(()),
        }
    }

    /// The device that a process of several on a machine takes where none is named: each one its
    /// own.
    pub(crate) fn device(&self, name: &str) -> String {
        match (&self.ranks, name) {
            (Some(ranks), "auto" | "cuda") => format!("{name}:{}", ranks.local),
            _ => name.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_gradients_travel_first_in_pieces_that_cover_all() {
        let ranges = [0..10, 10..40, 40..45, 45..60, 60..61];
        let (of, all) = buckets(&ranges, 16);
        assert_eq!(all, [45..61, 10..45, 0..10]);
        assert_eq!(of, [2, 1, 1, 0, 0]);
    }
}
