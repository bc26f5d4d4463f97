//! A loss that is computed from the network's output, outside the backend.

#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/agreement.rs"]
mod agreement;

use agreement::{network_of_two_heads, steps_by_a_loss_of_the_output, weights};
use planet_train::{Cpu, Optimizer};

#[test]
fn a_cross_entropy_from_outside_trains_as_our_own_does() {
    let network = network_of_two_heads();
    let backend = Cpu::new(&network, &weights(&network), Optimizer::default());
    steps_by_a_loss_of_the_output(&mut backend.expect("a backend"));
}
