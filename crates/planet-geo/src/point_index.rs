use std::cmp::Ordering;

use crate::LatLng;

/// Points on the sphere, arranged so that the nearest one is found without visiting all: a
/// balanced k-d tree over unit vectors, whose chord lengths order as the distances do.
#[derive(Clone, Debug, Default)]
pub struct PointIndex {
    /// In-order: the middle of every slice is its root, split by the depth's axis.
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    vector: [f64; 3],
    /// Place of the point among those given.
    index: u32,
}

impl PointIndex {
    /// An index of these points, at most 2³² of them.
    pub fn new(points: impl IntoIterator<Item = LatLng>) -> Self {
        Self::with_indexes(points.into_iter().enumerate().map(|(i, point)| (i as u32, point)))
    }

    /// An index of points that answer with numbers of the caller's.
    pub fn with_indexes(points: impl IntoIterator<Item = (u32, LatLng)>) -> Self {
        let mut nodes: Vec<Node> = points
            .into_iter()
            .map(|(index, point)| Node { vector: point.to_vector(), index })
            .collect();
        arrange(&mut nodes, 0);
        Self { nodes }
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The nearest point's number; of equally near ones the least. `None` where there is none.
    pub fn nearest(&self, position: LatLng) -> Option<u32> {
        let mut best = (f64::INFINITY, u32::MAX);
        search(&self.nodes, position.to_vector(), 0, &mut best);
        best.0.is_finite().then_some(best.1)
    }
}

fn arrange(nodes: &mut [Node], axis: usize) {
    if nodes.len() < 2 {
        return;
    }
    let middle = nodes.len() / 2;
    let order = |a: &Node, b: &Node| -> Ordering {
        a.vector[axis].total_cmp(&b.vector[axis]).then(a.index.cmp(&b.index))
    };
    nodes.select_nth_unstable_by(middle, order);
    let (before, after) = nodes.split_at_mut(middle);
    arrange(before, (axis + 1) % 3);
    arrange(&mut after[1..], (axis + 1) % 3);
}

fn search(nodes: &[Node], target: [f64; 3], axis: usize, best: &mut (f64, u32)) {
    if nodes.is_empty() {
        return;
    }
    let middle = nodes.len() / 2;
    let Node { vector, index } = nodes[middle];
    let chord: f64 = (0..3).map(|i| (vector[i] - target[i]).powi(2)).sum();
    if chord < best.0 || (chord == best.0 && index < best.1) {
        *best = (chord, index);
    }
    let offset = target[axis] - vector[axis];
    let (before, after) = (&nodes[..middle], &nodes[middle + 1..]);
    let (near, far) = if offset < 0.0 { (before, after) } else { (after, before) };
    search(near, target, (axis + 1) % 3, best);
    if offset * offset <= best.0 {
        search(far, target, (axis + 1) % 3, best);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_nearest_point_is_the_one_that_a_full_search_finds(
            points in prop::collection::vec((-90.0..=90.0f64, -180.0..=180.0f64), 1..80),
            lat in -90.0..=90.0f64,
            lng in -180.0..=180.0f64,
        ) {
            let points: Vec<LatLng> =
                points.iter().map(|&(a, o)| LatLng::new(a, o).expect("in range")).collect();
            let from = LatLng::new(lat, lng).expect("in range");
            let index = PointIndex::new(points.iter().copied());
            let found = points[index.nearest(from).expect("there are points") as usize];
            let least = points.iter().map(|p| from.distance_to(*p).km()).fold(f64::MAX, f64::min);
            prop_assert!(from.distance_to(found).km() - least < 1e-6);
        }
    }

    #[test]
    fn of_equal_points_the_first_is_named() {
        let point = LatLng::new(1.0, 2.0).expect("in range");
        assert_eq!(PointIndex::new([point; 9]).nearest(point), Some(0));
        assert_eq!(PointIndex::new([]).nearest(point), None);
    }
}
