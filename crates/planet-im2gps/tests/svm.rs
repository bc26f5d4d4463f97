//! Support vector machines beside LIBSVM, through scikit-learn (`golden/svm.py`).

use planet_im2gps::Svm;

#[test]
fn decisions_equal_those_of_libsvm() {
    let golden = include_bytes!("golden/svm.f32").as_chunks().0.iter();
    let golden: Vec<f32> = golden.map(|four| f32::from_le_bytes(*four)).collect();
    let mut rest = &golden[..];
    let mut take = |count: usize| {
        let (taken, behind) = rest.split_at(count);
        rest = behind;
        taken
    };
    for machine in 0..4 {
        let [photos, others, cost] = *take(3).first_chunk().expect("three numbers");
        let (photos, others) = (photos as usize, others as usize);
        let kernel = take(photos * photos);
        let is_first: Vec<bool> = take(photos).iter().map(|label| *label == 1.0).collect();
        assert!(is_first.contains(&true) && is_first.contains(&false));
        let svm = Svm::train(kernel, &is_first, cost.into());
        let (rows, decisions) = (take(others * photos), take(others));
        assert!(decisions.iter().any(|decision| decision.abs() > 0.05));
        for (row, want) in rows.chunks_exact(photos).zip(decisions) {
            let is = svm.decision(row);
            assert!((is - f64::from(*want)).abs() < 1e-3, "machine {machine}: {is} for {want}");
        }
    }
    assert!(rest.is_empty());
}
