use planet_data::Preprocess;

use crate::LevelCalibration;

const PREPROCESS: &str = "planet_preprocess";
const TEMPERATURE: &str = "planet_temperature";
const LEVELS: &str = "planet_level_calibration";
const FINGERPRINT: &str = "partition_fingerprint";

/// The metadata in the ONNX file of a package, so that it can be used without model.json:
/// photos' preprocessing and what its scores are worth, as JSON under keys of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct OnnxMetadata {
    /// How a photo becomes the network's input.
    pub preprocess: Preprocess,
    /// Logits are divided by this before the softmax.
    pub temperature: f32,
    /// What probabilities within each level's radius are worth.
    pub level_calibration: LevelCalibration,
    /// Fingerprint of the partition that the network was trained for.
    pub partition_fingerprint: String,
}

impl OnnxMetadata {
    /// Keys and values, as ONNX keeps them.
    pub fn entries(&self) -> Vec<(String, String)> {
        let json = |value: serde_json::Result<String>| value.expect("plain values become JSON");
        [
            (PREPROCESS, json(serde_json::to_string(&self.preprocess))),
            (TEMPERATURE, self.temperature.to_string()),
            (LEVELS, json(serde_json::to_string(&self.level_calibration))),
            (FINGERPRINT, self.partition_fingerprint.clone()),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .to_vec()
    }

    /// From the keys and values of an ONNX file; `None` for a file of another program.
    ///
    /// # Errors
    /// A value that is not of the kind that [`OnnxMetadata::entries`] writes, by its key.
    pub fn read(entries: &[(String, String)]) -> Result<Option<Self>, String> {
        let find = |key: &str| {
            entries.iter().find(|(found, _)| found == key).map(|(_, value)| value.as_str())
        };
        let Some(preprocess) = find(PREPROCESS) else { return Ok(None) };
        let preprocess: Preprocess =
            serde_json::from_str(preprocess).map_err(|error| format!("{PREPROCESS}: {error}"))?;
        preprocess.check().map_err(|error| format!("{PREPROCESS}: {error}"))?;
        let temperature: f32 = match find(TEMPERATURE).unwrap_or("1").parse() {
            Ok(value) if value > 0.0 && f32::is_finite(value) => value,
            _ => return Err(format!("{TEMPERATURE}: not a number above 0")),
        };
        let level_calibration = match find(LEVELS) {
            Some(json) => {
                serde_json::from_str(json).map_err(|error| format!("{LEVELS}: {error}"))?
            }
            None => LevelCalibration::default(),
        };
        let partition_fingerprint = find(FINGERPRINT).unwrap_or_default().to_owned();
        Ok(Some(Self { preprocess, temperature, level_calibration, partition_fingerprint }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> OnnxMetadata {
        OnnxMetadata {
            preprocess: Preprocess::inception(96),
            temperature: 1.25,
            level_calibration: LevelCalibration::default(),
            partition_fingerprint: "0123".to_owned(),
        }
    }

    #[test]
    fn what_is_written_is_read_and_other_programs_files_say_nothing() {
        let entries = metadata().entries();
        assert_eq!(OnnxMetadata::read(&entries), Ok(Some(metadata())));
        let foreign = [("author".to_owned(), "somebody".to_owned())];
        assert_eq!(OnnxMetadata::read(&foreign), Ok(None));
    }

    #[test]
    fn values_that_make_no_sense_are_named_by_their_key() {
        for (key, value) in [
            (PREPROCESS, "{}"),
            (TEMPERATURE, "0"),
            (TEMPERATURE, "NaN"),
            (LEVELS, "[{\"level\":\"village\",\"slope\":1,\"intercept\":0}]"),
        ] {
            let mut entries = metadata().entries();
            let entry = entries.iter_mut().find(|(found, _)| found == key).expect("is written");
            entry.1 = value.to_owned();
            let error = OnnxMetadata::read(&entries).expect_err("makes no sense");
            assert!(error.starts_with(key), "{error}");
        }
    }
}
