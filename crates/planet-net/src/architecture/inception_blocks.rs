use crate::{BatchNorm, Builder, Convolution, NetworkError, NodeId, Pool};

/// Inception-v3's batch norm: TensorFlow's eps, PyTorch's momentum.
pub(crate) const BATCH_NORM: BatchNorm = BatchNorm { eps: 1e-3, momentum: 0.1 };

/// The five blocks of Inception-v3 (Szegedy et al. 2015, figures 5 to 7 and 10), in widths of
/// one's choice; names as in torchvision.
#[derive(Debug)]
pub(crate) struct Blocks<'b> {
    pub(crate) net: &'b mut Builder,
}

/// Widths of an A block: on a grid of full size, two stacked 3×3 beside a 5×5.
pub(crate) struct A {
    pub(crate) one: usize,
    pub(crate) five: [usize; 2],
    pub(crate) double: [usize; 3],
    pub(crate) pool: usize,
}

/// Widths of a B block: halves the grid.
pub(crate) struct B {
    pub(crate) three: usize,
    pub(crate) double: [usize; 3],
}

/// Widths of a C block: 7×7 taken apart into 1×7 and 7×1.
pub(crate) struct C {
    pub(crate) inner: usize,
    pub(crate) each: usize,
}

/// Widths of a D block: halves the grid behind taken-apart 7×7.
pub(crate) struct D {
    pub(crate) reduce: usize,
    pub(crate) three: usize,
    pub(crate) seven: usize,
}

/// Widths of an E block: on the coarsest grid, 3×3 spread into 1×3 beside 3×1.
pub(crate) struct E {
    pub(crate) one: usize,
    pub(crate) three: usize,
    pub(crate) double: [usize; 2],
    pub(crate) pool: usize,
}

/// Whether windows that move by two pad their edges. Inception-v3 lets the grid shrink;
/// small photos have no pixel to spare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edges {
    Shrink,
    Pad,
}

impl Edges {
    pub(crate) fn convolution(self, convolution: Convolution) -> Convolution {
        if self == Self::Pad { convolution.same() } else { convolution }
    }

    pub(crate) fn pool(self, pool: Pool) -> Pool {
        if self == Self::Pad { pool.same() } else { pool }
    }
}

impl Blocks<'_> {
    /// Convolution, batch norm, ReLU: torchvision's `BasicConv2d`. The channels in are those of
    /// `x`, whatever the convolution says.
    pub(crate) fn basic(
        &mut self,
        name: &str,
        x: NodeId,
        convolution: Convolution,
    ) -> Result<NodeId, NetworkError> {
        let x = self.net.convolution(&format!("{name}.conv"), x, convolution)?;
        let x = self.net.batch_norm(&format!("{name}.bn"), x, BATCH_NORM)?;
        self.net.relu(&format!("{name}.relu"), x)
    }

    /// A basic convolution that keeps the grid.
    pub(crate) fn same(
        &mut self,
        name: &str,
        x: NodeId,
        outputs: usize,
        kernel: [usize; 2],
    ) -> Result<NodeId, NetworkError> {
        let inputs = self.net.shape(x).channels();
        self.basic(name, x, Convolution::new(inputs, outputs, kernel).same())
    }

    /// A basic 3×3 convolution that halves the grid.
    pub(crate) fn halving(
        &mut self,
        name: &str,
        x: NodeId,
        outputs: usize,
        edges: Edges,
    ) -> Result<NodeId, NetworkError> {
        let inputs = self.net.shape(x).channels();
        let convolution = Convolution::new(inputs, outputs, [3, 3]).stride(2);
        self.basic(name, x, edges.convolution(convolution))
    }

    /// The branch that blurs: a 3×3 mean, then 1×1.
    fn pooled(&mut self, name: &str, x: NodeId, outputs: usize) -> Result<NodeId, NetworkError> {
        let mean = Pool::average(3, 1).same();
        let x = self.net.pool(&format!("{name}.branch_pool.pool"), x, mean)?;
        self.same(&format!("{name}.branch_pool"), x, outputs, [1, 1])
    }

    pub(crate) fn a(&mut self, name: &str, x: NodeId, width: &A) -> Result<NodeId, NetworkError> {
        let one = self.same(&format!("{name}.branch1x1"), x, width.one, [1, 1])?;
        let five = self.same(&format!("{name}.branch5x5_1"), x, width.five[0], [1, 1])?;
        let five = self.same(&format!("{name}.branch5x5_2"), five, width.five[1], [5, 5])?;
        let double = self.same(&format!("{name}.branch3x3dbl_1"), x, width.double[0], [1, 1])?;
        let double =
            self.same(&format!("{name}.branch3x3dbl_2"), double, width.double[1], [3, 3])?;
        let double =
            self.same(&format!("{name}.branch3x3dbl_3"), double, width.double[2], [3, 3])?;
        let pool = self.pooled(name, x, width.pool)?;
        self.net.concat(&format!("{name}.concat"), &[one, five, double, pool])
    }

    pub(crate) fn b(
        &mut self,
        name: &str,
        x: NodeId,
        width: &B,
        edges: Edges,
    ) -> Result<NodeId, NetworkError> {
        let three = self.halving(&format!("{name}.branch3x3"), x, width.three, edges)?;
        let double = self.same(&format!("{name}.branch3x3dbl_1"), x, width.double[0], [1, 1])?;
        let double =
            self.same(&format!("{name}.branch3x3dbl_2"), double, width.double[1], [3, 3])?;
        let double =
            self.halving(&format!("{name}.branch3x3dbl_3"), double, width.double[2], edges)?;
        let pool = self.net.pool(&format!("{name}.pool"), x, edges.pool(Pool::max(3, 2)))?;
        self.net.concat(&format!("{name}.concat"), &[three, double, pool])
    }

    pub(crate) fn c(&mut self, name: &str, x: NodeId, width: &C) -> Result<NodeId, NetworkError> {
        let (inner, each) = (width.inner, width.each);
        let one = self.same(&format!("{name}.branch1x1"), x, each, [1, 1])?;
        let seven = self.same(&format!("{name}.branch7x7_1"), x, inner, [1, 1])?;
        let seven = self.same(&format!("{name}.branch7x7_2"), seven, inner, [1, 7])?;
        let seven = self.same(&format!("{name}.branch7x7_3"), seven, each, [7, 1])?;
        let double = self.same(&format!("{name}.branch7x7dbl_1"), x, inner, [1, 1])?;
        let double = self.same(&format!("{name}.branch7x7dbl_2"), double, inner, [7, 1])?;
        let double = self.same(&format!("{name}.branch7x7dbl_3"), double, inner, [1, 7])?;
        let double = self.same(&format!("{name}.branch7x7dbl_4"), double, inner, [7, 1])?;
        let double = self.same(&format!("{name}.branch7x7dbl_5"), double, each, [1, 7])?;
        let pool = self.pooled(name, x, each)?;
        self.net.concat(&format!("{name}.concat"), &[one, seven, double, pool])
    }

    pub(crate) fn d(
        &mut self,
        name: &str,
        x: NodeId,
        width: &D,
        edges: Edges,
    ) -> Result<NodeId, NetworkError> {
        let three = self.same(&format!("{name}.branch3x3_1"), x, width.reduce, [1, 1])?;
        let three = self.halving(&format!("{name}.branch3x3_2"), three, width.three, edges)?;
        let seven = self.same(&format!("{name}.branch7x7x3_1"), x, width.reduce, [1, 1])?;
        let seven = self.same(&format!("{name}.branch7x7x3_2"), seven, width.reduce, [1, 7])?;
        let seven = self.same(&format!("{name}.branch7x7x3_3"), seven, width.reduce, [7, 1])?;
        let seven = self.halving(&format!("{name}.branch7x7x3_4"), seven, width.seven, edges)?;
        let pool = self.net.pool(&format!("{name}.pool"), x, edges.pool(Pool::max(3, 2)))?;
        self.net.concat(&format!("{name}.concat"), &[three, seven, pool])
    }

    pub(crate) fn e(&mut self, name: &str, x: NodeId, width: &E) -> Result<NodeId, NetworkError> {
        let one = self.same(&format!("{name}.branch1x1"), x, width.one, [1, 1])?;
        let three = self.same(&format!("{name}.branch3x3_1"), x, width.three, [1, 1])?;
        let three = self.spread(&format!("{name}.branch3x3_2"), three, width.three)?;
        let [reduce, each] = width.double;
        let double = self.same(&format!("{name}.branch3x3dbl_1"), x, reduce, [1, 1])?;
        let double = self.same(&format!("{name}.branch3x3dbl_2"), double, each, [3, 3])?;
        let double = self.spread(&format!("{name}.branch3x3dbl_3"), double, each)?;
        let pool = self.pooled(name, x, width.pool)?;
        // The spread branches come in as two values each: one concat instead of three.
        let parts = [&[one][..], &three, &double, &[pool]].concat();
        self.net.concat(&format!("{name}.concat"), &parts)
    }

    /// 1×3 beside 3×1, each of this width.
    fn spread(&mut self, name: &str, x: NodeId, each: usize) -> Result<[NodeId; 2], NetworkError> {
        let a = self.same(&format!("{name}a"), x, each, [1, 3])?;
        let b = self.same(&format!("{name}b"), x, each, [3, 1])?;
        Ok([a, b])
    }
}
