use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What values are computed in. Weights, their gradients' sums and the optimizer's numbers are
/// always f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits. Graphics cards of NVIDIA convolve with 10 bits of them (TF32), as in PyTorch.
    #[default]
    F32,
    /// bfloat16: 8 bits of precision, the range of f32; losses and statistics stay f32.
    Bf16,
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        })
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "f32" => Ok(Self::F32),
            "bf16" => Ok(Self::Bf16),
            other => Err(format!("no precision '{other}': f32, bf16")),
        }
    }
}
