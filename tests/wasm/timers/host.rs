//! Functions of JavaScript that tests replace.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Reflect, global};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

fn get(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &name.into()).ok().filter(|value| !value.is_undefined())
}

/// A function of JavaScript that is replaced until this is dropped.
pub(crate) struct Replaced {
    object: JsValue,
    name: &'static str,
    original: JsValue,
}

impl Replaced {
    fn new(object: JsValue, name: &'static str, function: &JsValue) -> Self {
        let original = get(&object, name).unwrap();
        Reflect::set(&object, &name.into(), function).unwrap();
        Self { object, name, original }
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        Reflect::set(&self.object, &self.name.into(), &self.original).unwrap();
    }
}

/// Makes `setTimeout` call back at once, and returns the delays that it is given, in milliseconds.
pub(crate) fn skip_timeouts() -> (Replaced, Rc<RefCell<Vec<f64>>>) {
    let delays = Rc::new(RefCell::new(Vec::new()));
    let (noted, original) = (delays.clone(), get(&global(), "setTimeout").unwrap().unchecked_into::<Function>());
    let skipping = Closure::<dyn Fn(JsValue, f64) -> JsValue>::new(move |callback: JsValue, delay| {
        noted.borrow_mut().push(delay);
        original.call2(&JsValue::UNDEFINED, &callback, &0.into()).unwrap()
    });
    (Replaced::new(global().into(), "setTimeout", &skipping.into_js_value()), delays)
}

/// Makes `Math.random` return this number.
pub(crate) fn fix_random(number: f64) -> Replaced {
    let fixed = Closure::<dyn Fn() -> f64>::new(move || number);
    Replaced::new(get(&global(), "Math").unwrap(), "random", &fixed.into_js_value())
}
