//! Names, shapes and counts against PyTorch's, from `golden/parameters.txt` (made by
//! `golden/make_forward.py`) and `golden/parameters-efficientnet.txt` (by
//! `golden/make_efficientnet.py`).

use std::collections::BTreeMap;

use planet_net::{Architecture, NetworkOptions};

const PARAMETERS: [&str; 2] =
    [include_str!("golden/parameters.txt"), include_str!("golden/parameters-efficientnet.txt")];

fn rows(architecture: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = PARAMETERS.into_iter().flat_map(str::lines).filter(|line| !line.starts_with('#'));
    lines
        .filter_map(move |line| line.strip_prefix(architecture)?.strip_prefix(' ')?.split_once(' '))
}

#[test]
fn names_shapes_and_counts_are_pytorchs() {
    for architecture in Architecture::ALL {
        let size = [architecture.usual_side(); 2];
        let options = NetworkOptions { size, classes: 10, auxiliary: true };
        let network = architecture.network(options).expect("built");
        let ours: BTreeMap<String, String> = network
            .parameters()
            .map(|it| {
                let shape: Vec<String> = it.shape.iter().map(usize::to_string).collect();
                (it.name, shape.join(","))
            })
            .collect();
        let theirs: BTreeMap<String, String> = rows(architecture.name())
            .filter(|(name, _)| *name != "counts")
            .map(|(name, shape)| (name.to_owned(), shape.to_owned()))
            .collect();
        assert_eq!(ours, theirs, "{architecture}");

        // PyTorch's parameters are the auxiliary classifier's too, its work is inference's.
        let (_, counts) = rows(architecture.name()).find(|row| row.0 == "counts").expect("a row");
        let (parameters, work) = (network.count().parameters, network.inference().count());
        assert_eq!(counts, format!("{parameters} {}", work.multiply_adds), "{architecture}");
    }
}
