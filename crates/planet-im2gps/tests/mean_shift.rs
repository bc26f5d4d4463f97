//! Mean shift beside scikit-learn's (`golden/mean_shift.py`).

use planet_geo::{Distance, LatLng};
use planet_im2gps::mean_shift;

#[test]
fn for_small_spreads_mean_shift_equals_that_of_scikit_learn_on_the_tangent_plane() {
    let golden: serde_json::Value =
        serde_json::from_str(include_str!("golden/mean_shift.json")).expect("JSON");
    let number = |value: &serde_json::Value| value.as_f64().expect("a number");
    let places = |name: &str| -> Vec<LatLng> {
        let rows = golden[name].as_array().expect("rows").iter();
        rows.map(|row| LatLng::new(number(&row[0]), number(&row[1])).expect("in range")).collect()
    };
    let (positions, centres) = (places("positions"), places("centres"));
    let labels = golden["clusters"].as_array().expect("a cluster each");
    let bandwidth = Distance::from_km(number(&golden["bandwidth_km"]));
    let clusters = mean_shift(&positions, bandwidth);
    assert_eq!(clusters.len(), centres.len());
    assert!(clusters.len() > 4);
    for cluster in &clusters {
        let label = labels[cluster.members[0]].as_u64().expect("a number");
        let alike = (0..positions.len()).filter(|at| labels[*at].as_u64() == Some(label));
        assert_eq!(cluster.members, alike.collect::<Vec<_>>());
        let off = cluster.centre.distance_to(centres[label as usize]);
        assert!(off.m() < 1.0, "{off} from the centre");
    }
    let members: Vec<usize> = clusters.iter().map(|cluster| cluster.members.len()).collect();
    assert!(members.is_sorted_by(|a, b| a >= b), "{members:?}");
}
