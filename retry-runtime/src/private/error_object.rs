//! Error objects: `dyn Error`, and pointers to one.

use std::error::Error;
use std::rc::Rc;
use std::sync::Arc;

/// An error object: a `dyn Error`, or a pointer to an error object.
pub trait ErrorObject {
    /// The type of the `dyn Error`, with its lifetime.
    type Object: ?Sized;
    fn object(&self) -> &(dyn Error + '_);
}

macro_rules! objects {
    ($($object:ty),*) => {$(
        impl<'o> ErrorObject for $object {
            type Object = Self;
            fn object(&self) -> &(dyn Error + '_) {
                self
            }
        }
    )*};
}
objects!(dyn Error + 'o, dyn Error + Send + 'o, dyn Error + Sync + 'o, dyn Error + Send + Sync + 'o);

macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        impl<T: ErrorObject + ?Sized> ErrorObject for $pointer {
            type Object = T::Object;
            fn object(&self) -> &(dyn Error + '_) {
                (**self).object()
            }
        }
    )*};
}
pointers!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);
