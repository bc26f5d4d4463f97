//! Weights under timm's names, against the pairs of names in `golden/timm.txt` (made by
//! `golden/make_timm.py`, which checks them by the networks' outputs).

#[path = "golden/formula.rs"]
#[allow(dead_code, reason = "photos are for other tests")]
mod formula;

use planet_net::{Architecture, Array, Network, Parameter, ParameterKind, Weights};

/// An architecture's pairs: name in timm, name here.
fn pairs(architecture: &str) -> Vec<(&'static str, &'static str)> {
    let lines = include_str!("golden/timm.txt").lines();
    let of = lines.filter_map(|line| line.strip_prefix(architecture)?.strip_prefix(' '));
    of.map(|line| line.split_once(' ').expect("two names")).collect()
}

#[test]
fn timms_weights_come_under_our_names_and_fit_the_network() {
    for architecture in [
        Architecture::EfficientnetLite0,
        Architecture::EfficientnetLite1,
        Architecture::EfficientnetLite2,
        Architecture::MobilenetV3Large,
    ] {
        let network = architecture.usual(1000).expect("built");
        let own = formula::weights(&network, &golden(&network));
        let pairs = pairs(architecture.name());
        assert_eq!(pairs.len(), network.parameters().count(), "{architecture}");
        let theirs: Weights = pairs
            .iter()
            .map(|(timm, name)| {
                let array = own.get(name).expect("a parameter of ours").clone();
                let is_convolution = *timm == "conv_head.weight" && array.shape().len() == 2;
                let shape = match is_convolution {
                    true => [array.shape(), &[1, 1]].concat(),
                    false => array.shape().to_vec(),
                };
                (String::from(*timm), Array::new(shape, array.into_values()))
            })
            .collect();
        let found = theirs.from_timm().expect("timm's");
        found.check(&network).expect("they fit");
        for parameter in network.parameters() {
            let (found, own) = (found.get(&parameter.name), own.get(&parameter.name));
            let (found, own) = (found.expect("found"), own.expect("ours"));
            let is_norm = parameter.kind == ParameterKind::Trained && own.shape().len() == 1;
            let is_factor = is_norm && parameter.name.ends_with(".weight");
            if architecture == Architecture::MobilenetV3Large && is_factor {
                // timm adds 1e-5 to the variances, which are all 1, and torchvision 1e-3.
                let scale = (1.001_f32 / 1.000_01).sqrt();
                for (found, own) in found.values().iter().zip(own.values()) {
                    assert!((found - own * scale).abs() < 1e-6, "{}", parameter.name);
                }
            } else {
                assert_eq!(found, own, "{}", parameter.name);
            }
        }
    }
}

/// What a golden file would hold: statistics that are all 1, and the logits' factor.
fn golden(network: &Network) -> Weights {
    let statistics = network.parameters().filter(|it| it.kind == ParameterKind::Statistic);
    let ones =
        |it: Parameter| (it.name.clone(), Array::new(it.shape.clone(), vec![1.0; it.count()]));
    let factor = ("factor".to_owned(), Array::new(vec![1], vec![1.0]));
    statistics.map(ones).chain([factor]).collect()
}

#[test]
fn other_weights_and_damaged_names_are_none_of_timms() {
    let network = Architecture::InceptionMini.usual(10).expect("built");
    assert_eq!(Weights::initial(&network, 0).from_timm(), None);
    let array = || Array::new(vec![1], vec![1.0]);
    let names = ["conv_stem.weight", "blocks.0", "blocks.x.0.bn1.bias", "blocks.0.0.bn9.bias", ""];
    let damaged: Weights = names.into_iter().map(|name| (name.to_owned(), array())).collect();
    let found = damaged.from_timm().expect("it has timm's first layer");
    assert_eq!(found.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["_conv_stem.weight"]);
}
