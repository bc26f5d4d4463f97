use super::{
    QuantizeError,
    graph_node::{GraphNode, integer_attribute},
    model::{OnnxModel, fresh},
    tensor::{FLOAT, GraphTensor},
};

/// Arrays of fewer numbers keep 32 bits: together they take next to nothing.
const LEAST_COUNT: usize = 1024;

/// The greatest number of 16 bits, and the least whose digits are all there.
const GREATEST: f32 = 65_504.0;
const LEAST: f32 = 1.0 / 16_384.0;

/// A network whose weights take half of the space.
#[derive(Clone, Debug)]
pub struct Halved {
    /// The network.
    pub model: OnnxModel,
    /// Arrays in 16 bits.
    pub arrays: usize,
    /// Names of the large arrays that keep 32 bits: they contain values beyond ±65504, or all their
    /// values are below 2⁻¹⁴, where 16 bits have fewer digits.
    pub kept: Vec<String>,
}

impl OnnxModel {
    /// The same network with its large constant arrays (1,024 numbers or more) of f32 rounded to f16. A
    /// Cast behind each gives the engine f32 again, so everything is computed in 32 bits. An array that
    /// 16 bits do not represent keeps 32.
    ///
    /// # Errors
    /// A network in 8 or 16 bits, one without such an array, or weights that cannot be read or are not
    /// finite.
    pub fn halved(&self) -> Result<Halved, QuantizeError> {
        self.check_full_precision()?;
        let mut model = self.clone();
        let (mut names, mut casts, mut kept) = (self.names(), Vec::new(), Vec::new());
        let large = |tensor: &&GraphTensor| {
            tensor.element_type == FLOAT && tensor.count().is_some_and(|it| it >= LEAST_COUNT)
        };
        for tensor in self.tensors.values().filter(large).filter(|it| !self.is_output(&it.name)) {
            let values = tensor.floats()?;
            if !values.iter().all(|value| value.is_finite()) {
                return Err(QuantizeError::Weights(tensor.name.clone()));
            }
            let greatest = values.iter().fold(0.0f32, |most, value| most.max(value.abs()));
            if greatest != 0.0 && !(LEAST..=GREATEST).contains(&greatest) {
                kept.push(tensor.name.clone());
                continue;
            }
            let name = fresh(&mut names, &format!("{}_half", tensor.name));
            model.tensors.remove(&tensor.name);
            casts.push(GraphNode {
                operator: "Cast".to_owned(),
                name: format!("{name}_cast"),
                inputs: vec![name.clone()],
                outputs: vec![tensor.name.clone()],
                attributes: vec![integer_attribute("to", FLOAT as usize)],
                ..GraphNode::default()
            });
            let half = GraphTensor::of_halves(name.clone(), tensor.shape.clone(), &values);
            model.tensors.insert(name, half);
        }
        let arrays = casts.len();
        if arrays == 0 {
            return Err(QuantizeError::NothingLarge);
        }
        // A constant may be listed as an input that has a default, which a node's output must not be.
        model.drop_inputs(|name| casts.iter().any(|cast| cast.outputs[0] == name));
        model.nodes.splice(..0, casts);
        Ok(Halved { model, arrays, kept })
    }

    /// Refuses a network that was made smaller already.
    pub(super) fn check_full_precision(&self) -> Result<(), QuantizeError> {
        let quantized = |node: &&GraphNode| {
            let names = ["QuantizeLinear", "QLinear", "Integer", "NBits", "QGemm"];
            names.iter().any(|name| node.operator.contains(name))
        };
        if let Some(node) = self.nodes.iter().find(quantized) {
            return Err(QuantizeError::Already(node.operator.clone()));
        }
        match self.nodes.iter().find_map(|node| self.widened(node)) {
            Some(tensor) => Err(QuantizeError::Half(tensor.name.clone())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        fs::{self, File},
        path::Path,
    };

    use super::*;
    use crate::{
        Builder, Convolution, Linear, Network, OnnxInfo, OutputName, QuantizationPlan,
        QuantizeOptions, Range, Shape, Weights,
        onnx::{graph_value::GraphValue, message::Message},
    };

    /// A convolution of 1,728 weights and a classifier of 2,368.
    fn network() -> Network {
        let mut net = Builder::new("two-layers", Shape::image(3, [8, 8]));
        let first = Convolution::new(3, 64, [3, 3]).same().biased();
        let x = net.convolution("first", net.input(), first).expect("fits");
        let x = net.global_average_pool("mean", x).expect("fits");
        let x = net.flatten("flatten", x).expect("fits");
        let head = Linear { inputs: 64, outputs: 37, deviation: 0.5 };
        let logits = net.linear("fc", x, head).expect("fits");
        net.output(OutputName::Embedding, x)
            .output(OutputName::Logits, logits)
            .build()
            .expect("built")
    }

    fn written(folder: &Path, change: impl FnOnce(&mut [f32])) -> OnnxModel {
        let create = |name: &str| File::create(folder.join(name)).expect("created");
        let info = OnnxInfo { data_name: "weights".into(), ..OnnxInfo::default() };
        let mut weights = Weights::initial(&network(), 0);
        change(weights.get_mut("first.weight").expect("there").values_mut());
        network().write_onnx(&weights, &info, create("model"), create("weights")).expect("written");
        OnnxModel::read(&folder.join("model")).expect("read")
    }

    fn again(model: &OnnxModel, folder: &Path) -> OnnxModel {
        let create = |name: &str| File::create(folder.join(name)).expect("created");
        model.write("half.data", create("half"), create("half.data")).expect("written");
        OnnxModel::read(&folder.join("half")).expect("read")
    }

    #[test]
    fn large_arrays_take_half_of_the_space_and_lose_no_more_than_16_bits_must() {
        let folder = tempfile::tempdir().expect("a folder");
        let model = written(folder.path(), |_| {});
        let halved = model.halved().expect("halved");
        assert_eq!((halved.arrays, halved.kept.len()), (2, 0));
        let found = again(&halved.model, folder.path());
        let size = |name: &str| fs::metadata(folder.path().join(name)).expect("there").len();
        // Biases keep 32 bits, and arrays begin at multiples of 64 bytes.
        assert!(100 * size("half.data") < 53 * size("weights"), "{} bytes", size("half.data"));
        for name in ["first.weight", "fc.weight"] {
            assert!(found.tensor(name).is_none(), "{name}");
            let cast = found.nodes.iter().find(|node| node.outputs == [name]).expect("a cast");
            let half = found.widened(cast).expect("a constant");
            assert_eq!(half.shape(), model.tensors[name].shape());
            let pairs = model.tensors[name].floats().expect("read").into_iter();
            for (old, new) in pairs.zip(half.floats().expect("read")) {
                // Half a step of 11 binary digits, or of the smallest numbers.
                let least = (old.abs() / 2048.0).max(3e-8);
                assert!((old - new).abs() <= least, "{old} became {new}");
            }
        }
        for name in ["first.bias", "fc.bias"] {
            let [old, new] = [&model, &found].map(|it| it.tensors[name].floats().expect("read"));
            assert_eq!(old, new, "{name}");
        }
    }

    #[test]
    fn an_array_that_16_bits_do_not_represent_keeps_32_and_is_named() {
        for (value, factor) in [(65_520.0, 1.0), (-1e30, 1.0), (5e-5, 0.0)] {
            let folder = tempfile::tempdir().expect("a folder");
            let model = written(folder.path(), |weights| {
                weights.iter_mut().for_each(|it| *it *= factor);
                weights[7] = value;
            });
            let halved = model.halved().expect("halved");
            assert_eq!((halved.arrays, &halved.kept[..]), (1, &["first.weight".to_owned()][..]));
            let found = again(&halved.model, folder.path());
            let kept = found.tensors["first.weight"].floats().expect("read");
            assert_eq!(kept[7], value);
        }
        // The greatest that there is, and nothing but zeros, are represented.
        for greatest in [65_504.0, 0.0] {
            let folder = tempfile::tempdir().expect("a folder");
            let model = written(folder.path(), |weights| weights.fill(greatest));
            let halved = model.halved().expect("halved");
            assert_eq!((halved.arrays, halved.kept.len()), (2, 0));
            let found = halved.model.tensors["first.weight_half"].floats().expect("values");
            assert!(found.iter().all(|value| *value == greatest), "{greatest}");
        }
    }

    #[test]
    fn weights_that_are_not_numbers_are_refused_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut model = written(folder.path(), |_| {});
        let broken = GraphTensor::of_floats("fc.weight".into(), vec![37, 64], &[f32::NAN; 2368]);
        model.tensors.insert("fc.weight".into(), broken);
        let found = model.halved();
        assert!(matches!(found, Err(QuantizeError::Weights(name)) if name == "fc.weight"));
    }

    #[test]
    fn a_network_is_made_smaller_once_and_only_where_something_is_large() {
        let folder = tempfile::tempdir().expect("a folder");
        let model = written(folder.path(), |_| {});
        let once = again(&model.halved().expect("halved").model, folder.path());
        assert!(matches!(once.halved(), Err(QuantizeError::Half(_))));
        let plan = QuantizationPlan::new(&once, QuantizeOptions::default());
        assert!(matches!(plan, Err(QuantizeError::Half(_))), "{plan:?}");
        let plan = QuantizationPlan::new(&model, QuantizeOptions::default()).expect("a plan");
        let range = Range { low: 0.0, high: 2.0 };
        let ranges: BTreeMap<String, Range> =
            plan.arrays().map(|name| (name.to_owned(), range)).collect();
        let small = model.quantized(&plan, &ranges).expect("quantised");
        assert!(matches!(small.halved(), Err(QuantizeError::Already(_))));
        let mut nothing = model;
        nothing.tensors.retain(|_, tensor| tensor.count() < Some(LEAST_COUNT));
        assert!(matches!(nothing.halved(), Err(QuantizeError::NothingLarge)));
    }

    #[test]
    fn a_constant_that_is_also_listed_as_an_input_is_not_given_twice() {
        let folder = tempfile::tempdir().expect("a folder");
        let model = written(folder.path(), |_| {});
        let listed = Message::default().string(1, "fc.weight").into_bytes();
        let mut with_input = model;
        with_input.push_input(GraphValue::new("fc.weight", listed));
        let found = again(&with_input.halved().expect("halved").model, folder.path());
        let inputs: Vec<&str> = found.inputs().map(GraphValue::name).collect();
        assert_eq!(inputs, ["pixels"]);
    }

    #[test]
    fn halves_are_read_in_each_form_that_onnx_has_for_them() {
        let folder = Path::new("");
        let [one, two] = [0x3C00u16, 0xC000];
        let tensor = || Message::default().integer(1, 2).integer(2, 10).string(8, "it");
        let raw: Vec<u8> = [one, two].iter().flat_map(|it| it.to_le_bytes()).collect();
        let listed = tensor().integer(5, one.into()).integer(5, two.into());
        for (form, wanted) in [
            (tensor().bytes(9, &raw), Some(vec![1.0, -2.0])),
            (listed, Some(vec![1.0, -2.0])),
            (tensor().bytes(9, &raw[..3]), None),
            (tensor().integer(5, 1 << 16).integer(5, 0), None),
        ] {
            let read = GraphTensor::read(&form.into_bytes(), folder).expect("a tensor");
            assert!(read.is_of_halves() && !read.is_of_floats());
            assert_eq!(read.floats().ok(), wanted);
        }
    }

    #[test]
    fn weights_that_are_cut_off_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let model = written(folder.path(), |_| {});
        let found = again(&model.halved().expect("halved").model, folder.path());
        let data = folder.path().join("half.data");
        let whole = fs::read(&data).expect("read");
        fs::write(&data, &whole[..whole.len() - 1]).expect("written");
        let errors: Vec<String> = found
            .tensors
            .values()
            .filter_map(|tensor| Some(tensor.floats().err()?.to_string()))
            .collect();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains("half.data") && errors[0].contains("truncated"), "{errors:?}");
        fs::write(folder.path().join("weights"), b"short").expect("written");
        let error = model.halved().expect_err("no weights").to_string();
        assert!(error.contains("truncated at the array"), "{error}");
    }
}
