//! The operations of the expression language and the numbers they give.

/// An operation on one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unary {
    /// −x.
    Neg,
    /// eˣ.
    Exp,
    /// The natural logarithm.
    Log,
    /// The logarithm to base 10.
    Log10,
    /// √x.
    Sqrt,
    /// The sine.
    Sin,
    /// The cosine.
    Cos,
    /// The tangent.
    Tan,
    /// The inverse sine.
    Asin,
    /// The inverse cosine.
    Acos,
    /// The inverse tangent.
    Atan,
    /// The hyperbolic sine.
    Sinh,
    /// The hyperbolic cosine.
    Cosh,
    /// The hyperbolic tangent.
    Tanh,
    /// The inverse hyperbolic sine.
    Asinh,
    /// The inverse hyperbolic cosine.
    Acosh,
    /// The inverse hyperbolic tangent.
    Atanh,
    /// |x|.
    Abs,
    /// The largest whole number that is not larger.
    Floor,
    /// The smallest whole number that is not smaller.
    Ceil,
    /// −1, 0 or 1.
    Sign,
    /// 1 where the number is 0, else 0.
    Not,
}

/// An operation on two numbers. A comparison gives 1 or 0; any number but 0 counts as true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Binary {
    /// a + b.
    Add,
    /// a − b.
    Sub,
    /// a b.
    Mul,
    /// a / b.
    Div,
    /// aᵇ.
    Pow,
    /// The smaller one; NaN if either is.
    Min,
    /// The larger one; NaN if either is.
    Max,
    /// a < b.
    Less,
    /// a ≤ b.
    LessEqual,
    /// a = b.
    Equal,
    /// a ≠ b.
    NotEqual,
    /// Neither is 0.
    And,
    /// Not both are 0.
    Or,
}

/// The functions of one argument that formulas may call, by name.
pub const FUNCTIONS: [(&str, Unary); 22] = [
    ("exp", Unary::Exp),
    ("log", Unary::Log),
    ("ln", Unary::Log),
    ("log10", Unary::Log10),
    ("sqrt", Unary::Sqrt),
    ("sin", Unary::Sin),
    ("cos", Unary::Cos),
    ("tan", Unary::Tan),
    ("asin", Unary::Asin),
    ("acos", Unary::Acos),
    ("atan", Unary::Atan),
    ("sinh", Unary::Sinh),
    ("cosh", Unary::Cosh),
    ("tanh", Unary::Tanh),
    ("asinh", Unary::Asinh),
    ("acosh", Unary::Acosh),
    ("atanh", Unary::Atanh),
    ("abs", Unary::Abs),
    ("floor", Unary::Floor),
    ("ceil", Unary::Ceil),
    ("sign", Unary::Sign),
    ("not", Unary::Not),
];

impl Unary {
    /// The operation's value at x.
    #[inline]
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Unary::Neg => -x,
            Unary::Exp => x.exp(),
            Unary::Log => x.ln(),
            Unary::Log10 => x.log10(),
            Unary::Sqrt => x.sqrt(),
            Unary::Sin => x.sin(),
            Unary::Cos => x.cos(),
            Unary::Tan => x.tan(),
            Unary::Asin => x.asin(),
            Unary::Acos => x.acos(),
            Unary::Atan => x.atan(),
            Unary::Sinh => x.sinh(),
            Unary::Cosh => x.cosh(),
            Unary::Tanh => x.tanh(),
            Unary::Asinh => x.asinh(),
            Unary::Acosh => x.acosh(),
            Unary::Atanh => x.atanh(),
            Unary::Abs => x.abs(),
            Unary::Floor => x.floor(),
            Unary::Ceil => x.ceil(),
            Unary::Sign => sign(x),
            Unary::Not => truth(x == 0.0),
        }
    }

    /// Whether the derivative can overflow or be undefined where the argument is finite, so that
    /// it must not even be multiplied by zero in a branch that is not taken.
    pub(super) fn is_singular(self) -> bool {
        !matches!(
            self,
            Unary::Neg
                | Unary::Sin
                | Unary::Cos
                | Unary::Atan
                | Unary::Tanh
                | Unary::Asinh
                | Unary::Abs
                | Unary::Floor
                | Unary::Ceil
                | Unary::Sign
                | Unary::Not
        )
    }
}

impl Binary {
    /// The operation's value at (a, b).
    #[inline]
    pub fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Binary::Add => a + b,
            Binary::Sub => a - b,
            Binary::Mul => a * b,
            Binary::Div => a / b,
            Binary::Pow => a.powf(b),
            Binary::Min => pick(a <= b, a, b),
            Binary::Max => pick(a >= b, a, b),
            Binary::Less => truth(a < b),
            Binary::LessEqual => truth(a <= b),
            Binary::Equal => truth(a == b),
            Binary::NotEqual => truth(a != b),
            Binary::And => truth(a != 0.0 && b != 0.0),
            Binary::Or => truth(a != 0.0 || b != 0.0),
        }
    }

    pub(super) fn is_singular(self) -> bool {
        matches!(self, Binary::Div | Binary::Pow)
    }

    pub(super) fn is_commutative(self) -> bool {
        use Binary::{Add, And, Equal, Mul, NotEqual, Or};
        matches!(self, Add | Mul | Equal | NotEqual | And | Or)
    }
}

#[inline]
fn pick(first: bool, a: f64, b: f64) -> f64 {
    if first || a.is_nan() { a } else { b }
}

#[inline]
fn truth(x: bool) -> f64 {
    f64::from(u8::from(x))
}

fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        x
    }
}
