//! What the architectures promise: sizes, shapes, names.

use planet_net::{Architecture, NetworkError, NetworkOptions, OutputName, Shape, Weights};

fn options(side: usize, classes: usize) -> NetworkOptions {
    NetworkOptions { size: [side; 2], classes, auxiliary: true }
}

#[test]
fn inception_mini_is_as_small_as_it_says() {
    let network = Architecture::InceptionMini.network(options(96, 500)).expect("built");
    let count = network.count();
    let trunk = count.parameters - (512 + 1) * 500;
    assert!((1_000_000..=1_500_000).contains(&trunk), "{trunk}");
    let work = count.multiply_adds - 512 * 500;
    assert!((40_000_000..50_000_000).contains(&work), "{work}");
}

#[test]
fn every_architecture_takes_its_least_side_and_photos_that_are_not_square() {
    for architecture in Architecture::ALL {
        let least = architecture.least_side();
        for size in [[least, least], [least, least + 35], [least + 34, least]] {
            let options = NetworkOptions { size, classes: 7, auxiliary: true };
            let network = architecture.network(options).expect("built");
            let logits = network.output(OutputName::Logits).expect("logits");
            assert_eq!(network.node(logits).shape(), Shape::Features(7), "{architecture} {size:?}");
        }
        let error = architecture.network(options(least - 1, 7)).expect_err("too small");
        assert!(matches!(error, NetworkError::InputSize { .. }), "{error}");
        assert_eq!(architecture.network(options(299, 0)), Err(NetworkError::NoClasses));
    }
}

#[test]
fn every_architecture_is_found_by_its_name_and_a_strange_name_gets_the_list() {
    for architecture in Architecture::ALL {
        assert_eq!(architecture.name().parse(), Ok(architecture));
    }
    let error = "resnet".parse::<Architecture>().expect_err("unknown");
    assert!(error.to_string().contains("inception-mini"), "{error}");
}

#[test]
fn initial_weights_fit_depend_on_the_seed_and_begin_small() {
    let network = Architecture::InceptionMini.network(options(64, 10)).expect("built");
    let weights = Weights::initial(&network, 1);
    weights.check(&network).expect("they fit");
    assert_eq!(weights, Weights::initial(&network, 1));
    assert_ne!(weights, Weights::initial(&network, 2));
    let kernel = weights.get("Mixed_6b.branch7x7_2.conv.weight").expect("a parameter").values();
    let mean_square = kernel.iter().map(|x| x * x).sum::<f32>() / kernel.len() as f32;
    // He's 2 / fan-in, times the variance 0.774 that cutting at two deviations leaves.
    let expected = 0.774 * 2.0 / (48.0 * 7.0);
    assert!((mean_square / expected - 1.0).abs() < 0.05, "{mean_square} {expected}");
}

#[test]
fn inception_v3_over_the_papers_cells_has_the_parameters_that_are_documented() {
    let build = |auxiliary| {
        let options = NetworkOptions { size: [299, 299], classes: 26_263, auxiliary };
        Architecture::InceptionV3.network(options).expect("built")
    };
    let (slim, full) = (build(false), build(true));
    assert_eq!(slim.count().parameters, 75_598_455);
    assert_eq!(full.count().parameters, 98_352_398);
    assert_eq!(full.inference().count(), slim.count());
    assert_eq!(slim.features(), 2048);
}
