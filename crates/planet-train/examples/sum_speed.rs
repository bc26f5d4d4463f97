//! How long ranks take to sum numbers: `sum_speed MEGABYTES RANK RANKS PORT`, one process a rank,
//! all on this machine. bench/distributed.py starts them. Rank 0 prints seconds, the median of
//! ten, as one number on stdout.

use std::{env, io::Write, time::Instant};

use planet_train::{ProcessGroup, Rendezvous};

/// Sums that are timed.
const TIMES: usize = 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers: Vec<usize> = env::args().skip(1).map(|it| it.parse()).collect::<Result<_, _>>()?;
    let [megabytes, rank, ranks, port] = numbers[..] else {
        return Err("usage: sum_speed MEGABYTES RANK RANKS PORT".into());
    };
    let group =
        ProcessGroup::join(&Rendezvous::on_this_machine(u16::try_from(port)?, rank, ranks))?;
    let mut values = vec![1.0; megabytes * 1_000_000 / size_of::<f64>()];
    let mut seconds = Vec::with_capacity(TIMES);
    group.sum(&mut values)?;
    for _ in 0..TIMES {
        group.barrier()?;
        let begun = Instant::now();
        group.sum(&mut values)?;
        seconds.push(begun.elapsed().as_secs_f64());
    }
    group.leave()?;
    seconds.sort_by(f64::total_cmp);
    if group.is_first() {
        writeln!(std::io::stdout(), "{}", seconds[TIMES / 2])?;
    }
    Ok(())
}
