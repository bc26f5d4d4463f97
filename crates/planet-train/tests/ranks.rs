//! Several ranks beside one that has all their photos: the same steps. Ranks are threads here,
//! which meet on this machine as processes do. `scripts/with-torch cargo test -p planet-train
//! --features torch --test ranks`.
#![cfg(feature = "torch")]

use std::{net::TcpListener, ops::Range, thread};

use planet_data::PixelBatch;
use planet_net::{
    Architecture, Builder, Convolution, Linear, Network, NetworkOptions, OutputName, Shape, Weights,
};
use planet_train::{
    Backend, GroupError, Optimizer, Precision, ProcessGroup, Rendezvous, Rule, State, StepOptions,
    Torch,
};

const SIDE: usize = 32;
const CLASSES: usize = 6;
/// Photos of a step, of all ranks.
const PHOTOS: usize = 16;

/// Runs this on so many ranks, each a thread; what each gives.
fn on_ranks<T: Send>(ranks: usize, body: impl Fn(ProcessGroup) -> T + Sync) -> Vec<T> {
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("one").port();
    let join = |rank: usize| {
        ProcessGroup::join(&Rendezvous::on_this_machine(port, rank, ranks)).expect("they meet")
    };
    let (join, body) = (&join, &body);
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..ranks).map(|rank| scope.spawn(move || body(join(rank)))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

/// Without batch norm a step's gradient is the mean over the photos, wherever they are.
fn plain() -> Network {
    let mut net = Builder::new("plain", Shape::image(3, [SIDE; 2]));
    let x = net.input();
    let x = net.convolution("a", x, Convolution::new(3, 24, [3, 3]).same()).expect("fits");
    let x = net.relu("a.relu", x).expect("fits");
    let x = net.convolution("b", x, Convolution::new(24, 32, [5, 5]).same()).expect("fits");
    let x = net.relu("b.relu", x).expect("fits");
    let x = net.global_average_pool("pool", x).expect("fits");
    let x = net.flatten("flatten", x).expect("fits");
    let linear = Linear { inputs: 32, outputs: CLASSES, deviation: 0.5 };
    let x = net.linear("fc", x, linear).expect("fits");
    net.output(OutputName::Logits, x).build().expect("a network")
}

fn with_batch_norm() -> Network {
    let options = NetworkOptions { size: [SIDE; 2], classes: CLASSES, auxiliary: true };
    Architecture::InceptionMini.network(options).expect("a network")
}

/// The photos of a step that lie in this range of all of them.
fn photos(step: usize, range: Range<usize>) -> (PixelBatch, Vec<u32>) {
    let class = |photo: usize| (photo * 5 + step) % CLASSES;
    let mut batch = PixelBatch::with_capacity(range.len(), SIDE, SIDE);
    for photo in range.clone() {
        let value = |at: usize| {
            let place = (at + (photo + step * PHOTOS) * 3 * SIDE * SIDE) as u64;
            let noise = place.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (place << 21);
            let noise = (noise.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f32 / (1 << 24) as f32;
            noise + 0.3 * ((class(photo) >> (at % 3)) & 1) as f32 - 0.5
        };
        batch.push(&(0..3 * SIDE * SIDE).map(value).collect::<Vec<_>>());
    }
    (batch, range.map(|photo| class(photo) as u32).collect())
}

fn options() -> StepOptions {
    StepOptions { learning_rate: 0.01, label_smoothing: 0.1, auxiliary_weight: 0.3, dropout: None }
}

/// So many steps of a rank's share of the photos.
fn train(
    group: &ProcessGroup,
    network: &Network,
    optimizer: Optimizer,
    sync: bool,
    steps: usize,
) -> State {
    let weights = Weights::initial(network, 1);
    let mut torch = Torch::new(network, &weights, optimizer, "cpu", Precision::F32).expect("one");
    torch.join(group, sync).expect("they go together");
    let share = PHOTOS / group.size();
    for step in 0..steps {
        let first = group.rank() * share;
        let (batch, targets) = photos(step, first..first + share);
        torch.step(&batch, &targets, &options()).expect("a step");
    }
    group.leave().expect("all are there");
    torch.state()
}

/// Greatest difference between two sets of weights, as a share of the greatest value.
fn apart(a: &Weights, b: &Weights) -> f32 {
    let pairs = a.iter().flat_map(|(name, a)| {
        let b = b.get(name).expect("the same parameters");
        a.values().iter().zip(b.values())
    });
    let (off, most) =
        pairs.fold((0f32, 0f32), |(off, most), (a, b)| (off.max((a - b).abs()), most.max(a.abs())));
    off / most
}

#[test]
fn ranks_step_as_one_that_has_all_their_photos() {
    let network = plain();
    for rule in [Rule::ADAGRAD, Rule::SGD] {
        let optimizer =
            Optimizer { rule, clip_norm: Some(0.5), weight_decay: 1e-3, average: Some(0.9) };
        let alone = train(&ProcessGroup::alone(), &network, optimizer, false, 5);
        assert!(apart(&alone.weights, &Weights::initial(&network, 1)) > 1e-3, "nothing learned");
        for ranks in [2, 4] {
            let states = on_ranks(ranks, |group| train(&group, &network, optimizer, false, 5));
            for state in &states {
                assert!(state == &states[0], "ranks differ");
            }
            let off = apart(&states[0].weights, &alone.weights);
            assert!(off < 1e-5, "{ranks} ranks: weights are {off:e} off");
            let off = apart(states[0].best_weights(), alone.best_weights());
            assert!(off < 1e-5, "{ranks} ranks: the average is {off:e} off");
        }
    }
}

#[test]
fn shared_batch_norm_steps_as_one_that_has_all_the_photos() {
    let network = with_batch_norm();
    let optimizer = Optimizer { rule: Rule::SGD, ..Optimizer::default() };
    // One step: batch norm of a few values a channel makes rounding grow from step to step.
    let alone = train(&ProcessGroup::alone(), &network, optimizer, false, 1);
    let learned = apart(&alone.weights, &Weights::initial(&network, 1));
    let shared = on_ranks(2, |group| train(&group, &network, optimizer, true, 1));
    let share = |states: &[State]| apart(&states[0].weights, &alone.weights) / learned;
    assert!(shared[0] == shared[1], "ranks differ");
    let off = share(&shared);
    assert!(off < 1e-4, "{off:e} of what a step learns is off");
    // What would be wrong with statistics of each rank's own photos is far greater.
    let own = on_ranks(2, |group| train(&group, &network, optimizer, false, 1));
    assert!(share(&own) > 100.0 * off, "{:e} and {off:e}", share(&own));
}

#[test]
fn ranks_agree_on_the_running_statistics_of_the_first() {
    let network = with_batch_norm();
    let optimizer = Optimizer { average: Some(0.9), ..Optimizer::default() };
    let statistic = |state: &State| {
        let named = |weights: &Weights| {
            let all = weights.iter().filter(|(name, _)| name.contains(".running_"));
            all.map(|(name, array)| (name.to_owned(), array.clone())).collect::<Weights>()
        };
        (named(&state.weights), named(state.best_weights()))
    };
    let states = on_ranks(2, |group| {
        let weights = Weights::initial(&network, 1);
        let mut torch =
            Torch::new(&network, &weights, optimizer, "cpu", Precision::F32).expect("one");
        torch.join(&group, false).expect("they go together");
        let (batch, targets) = photos(0, group.rank() * 8..group.rank() * 8 + 8);
        torch.step(&batch, &targets, &options()).expect("a step");
        let before = statistic(&torch.state());
        torch.agree().expect("they agree");
        group.leave().expect("all are there");
        (before, statistic(&torch.state()))
    });
    let [(first, after), (second, after_too)] = &states[..] else { panic!("two ranks") };
    assert!(first != second, "each has its own photos");
    assert!(after == first && after_too == first);
}

#[test]
fn a_loss_that_is_no_number_on_one_rank_changes_no_weight_on_any() {
    let network = plain();
    let unchanged = on_ranks(2, |group| {
        let weights = Weights::initial(&network, 1);
        let mut torch = Torch::new(&network, &weights, Optimizer::default(), "cpu", Precision::F32)
            .expect("one");
        torch.join(&group, false).expect("they go together");
        let before = torch.state();
        let (mut batch, targets) = photos(0, 0..2);
        if group.rank() == 1 {
            batch = PixelBatch::with_capacity(2, SIDE, SIDE);
            batch.push(&[f32::NAN; 3 * SIDE * SIDE]);
            batch.push(&[0.0; 3 * SIDE * SIDE]);
        }
        let report = torch.step(&batch, &targets, &options()).expect("a report");
        group.leave().expect("all are there");
        (report.is_finite(), torch.state() == before)
    });
    assert_eq!(unchanged, [(true, true), (false, true)]);
}

#[test]
fn numbers_and_bytes_go_to_every_rank() {
    let got = on_ranks(3, |group| {
        let mut numbers = [group.rank() as f64, 1.0];
        group.sum(&mut numbers).expect("summed");
        let mut bytes = vec![group.rank() as u8 + 7; 3 - group.rank()];
        group.broadcast(&mut bytes).expect("sent");
        group.leave().expect("all are there");
        (numbers, bytes)
    });
    for (numbers, bytes) in got {
        assert_eq!((numbers, bytes), ([3.0, 3.0], vec![7; 3]));
    }
}

#[test]
fn a_rank_that_ends_early_is_named_to_the_others() {
    let said = on_ranks(3, |group| {
        if group.rank() == 2 {
            return String::new();
        }
        let said = group.sum(&mut [1.0]).expect_err("one is missing");
        assert!(matches!(said, GroupError::Lost(_)), "{said}");
        said.to_string()
    });
    for said in &said[..2] {
        assert!(said.contains("rank 2 ended before the others"), "{said}");
    }
}

#[test]
fn ranks_that_were_started_differently_are_refused() {
    let said = on_ranks(2, |group| {
        let text = ["batch = 8", "batch = 9"][group.rank()];
        group.same("settings", text).expect_err("they differ").to_string()
    });
    assert!(said[0].contains("rank 1 ended before the others"), "{}", said[0]);
    assert!(said[1].contains("rank 1 was started with settings"), "{}", said[1]);
}
