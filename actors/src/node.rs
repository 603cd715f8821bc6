//! Message nodes: one allocation per signal, header and payload together.
//!
//! # Layout
//!
//! A node is `Header` followed by its payload. The header is all that mailboxes know; the static
//! [`VTable`] it points to knows the payload's type, where it lies, and how to drop and free it.
//! A message sent through an alias carries the alias's id between header and payload.
//!
//! # Ownership
//!
//! A node has one owner at any time: the sender until the push succeeds, the inbox chain, the
//! receiver's private lists, then a [`Message`] in user code. [`Message`] is that ownership as a
//! type; `into_raw` and `from_raw` hand it over to and from the intrusive lists.
#![allow(unsafe_code, reason = "the leaf that owns the memory of messages")]

#[cfg(all(test, not(loom)))]
mod tests;

use std::{
    alloc::Layout,
    any::{TypeId, type_name},
    fmt,
    marker::PhantomData,
    mem::{ManuallyDrop, MaybeUninit, needs_drop, offset_of},
    ptr::{self, NonNull},
};

use beamish_runtime::pool;

use crate::{signal::Signal, sync::UnsafeCell};

/// What a node is to its receiver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A message sent to a pid or a name.
    Plain,
    /// A message sent through an alias: delivered only while the alias is active.
    Aliased,
    /// As `Aliased`, sent as a priority message.
    Priority,
    /// Tells the end of a process: delivered while the monitor is active.
    End,
    /// A control signal: the payload is a [`Signal`].
    Signal,
}

/// The common part of all nodes. 24 bytes.
#[repr(C)]
pub(crate) struct Header {
    /// In an inbox: the next older node. In a private chain: the next newer one.
    next: UnsafeCell<*mut Header>,
    vtable: &'static VTable,
    /// Generation of the process that the node is for: the slot may have a new tenant.
    generation: u64,
}

/// What a header knows of its payload.
pub(crate) struct VTable {
    kind: Kind,
    type_id: TypeId,
    type_name: fn() -> &'static str,
    payload_offset: usize,
    size: usize,
    /// Whether the id between header and payload is a monitor's, whose end the message tells.
    tells_end: bool,
    /// The table of the same node once it was delivered: then it is a message like any other.
    delivered: Option<&'static VTable>,
    /// Puts the payload in a node that goes through an alias, as a priority message or not.
    readdress: fn(Message, u64, bool) -> Message,
    drop_payload: unsafe fn(NonNull<Header>),
    free: unsafe fn(NonNull<Header>),
}

#[repr(C)]
struct Plain<T> {
    header: Header,
    payload: MaybeUninit<T>,
}

#[repr(C)]
struct Aliased<T> {
    header: Header,
    alias: u64,
    payload: MaybeUninit<T>,
}

/// Where the alias id lies, whatever the payload is (`repr(C)`: right behind the header).
const ALIAS_OFFSET: usize = offset_of!(Aliased<()>, alias);

struct VTables<T>(PhantomData<T>);

impl<T: Send + 'static> VTables<T> {
    const PLAIN: &'static VTable = &Self::table(
        Kind::Plain,
        offset_of!(Plain<T>, payload),
        size_of::<Plain<T>>(),
        free::<Plain<T>>,
    );
    const SIGNAL: &'static VTable = &Self::table(
        Kind::Signal,
        offset_of!(Plain<T>, payload),
        size_of::<Plain<T>>(),
        free::<Plain<T>>,
    );
    const ALIASED: &'static VTable =
        &VTable { delivered: Some(Self::DELIVERED), ..Self::with_id(Kind::Aliased) };
    const PRIORITY: &'static VTable =
        &VTable { delivered: Some(Self::DELIVERED), ..Self::with_id(Kind::Priority) };
    const DELIVERED: &'static VTable = &Self::with_id(Kind::Plain);
    const TELLS_END: &'static VTable =
        &VTable { tells_end: true, delivered: Some(Self::DELIVERED), ..Self::with_id(Kind::Plain) };
    const END: &'static VTable =
        &VTable { tells_end: true, delivered: Some(Self::TELLS_END), ..Self::with_id(Kind::End) };

    const fn with_id(kind: Kind) -> VTable {
        let offset = offset_of!(Aliased<T>, payload);
        Self::table(kind, offset, size_of::<Aliased<T>>(), free::<Aliased<T>>)
    }

    const fn table(
        kind: Kind,
        payload_offset: usize,
        size: usize,
        free: unsafe fn(NonNull<Header>),
    ) -> VTable {
        VTable {
            kind,
            type_id: TypeId::of::<T>(),
            type_name: type_name::<T>,
            payload_offset,
            size,
            tells_end: false,
            delivered: None,
            readdress: readdress::<T>,
            drop_payload: drop_payload::<T>,
            free,
        }
    }
}

/// # Safety
/// `node` is a live node whose payload is an initialised `T`; the payload is gone afterwards.
unsafe fn drop_payload<T>(node: NonNull<Header>) {
    // SAFETY: the caller says that the payload is an initialised `T` that nobody uses again.
    unsafe { ptr::drop_in_place(payload::<T>(node).as_ptr()) }
}

/// # Safety
/// `node` is a live node of layout `N` without a payload to drop; it is gone afterwards.
unsafe fn free<N>(node: NonNull<Header>) {
    // SAFETY: `node` was allocated by `allocate` with the layout of `N`, and is not used again.
    unsafe { pool::release(node.cast(), Layout::new::<N>()) }
}

/// # Safety
/// `node` is a live node.
unsafe fn payload<T>(node: NonNull<Header>) -> NonNull<T> {
    // SAFETY: the payload lies `payload_offset` bytes into the same allocation.
    unsafe { node.byte_add(node.as_ref().vtable.payload_offset).cast() }
}

fn readdress<T: Send + 'static>(message: Message, alias: u64, priority: bool) -> Message {
    match message.downcast::<T>() {
        Ok(payload) => Message::aliased(alias, priority, payload),
        Err(_) => unreachable!("the table is that of the payload's type"),
    }
}

/// # Safety
/// `node` is a live `Plain<T>`.
#[inline]
unsafe fn payload_of_plain<T>(node: NonNull<Header>) -> NonNull<T> {
    // SAFETY: the payload lies there in the same allocation.
    unsafe { node.byte_add(offset_of!(Plain<T>, payload)).cast() }
}

impl Header {
    #[inline]
    pub(crate) fn kind(&self) -> Kind {
        self.vtable.kind
    }

    #[inline]
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// The link to the next node of the list that owns this node.
    ///
    /// # Safety
    /// The caller owns the node, or the list it is in, exclusively.
    #[inline]
    pub(crate) unsafe fn next(&self) -> *mut Header {
        // SAFETY: exclusive ownership is the caller's promise.
        self.next.with(|next| unsafe { *next })
    }

    /// # Safety
    /// As for [`Header::next`].
    #[inline]
    pub(crate) unsafe fn set_next(&self, node: *mut Header) {
        // SAFETY: exclusive ownership is the caller's promise.
        self.next.with_mut(|next| unsafe { *next = node });
    }
}

/// A message of any type, owned.
///
/// What a clause `message: Message` of [`receive!`](crate::receive!) yields. It can be asked for
/// its type, taken apart, or sent on: sending a `Message` forwards what is in it.
pub struct Message {
    node: NonNull<Header>,
}

// SAFETY: a payload is `Send` (every constructor asks for it), and a `Message` owns its node alone.
unsafe impl Send for Message {}
// SAFETY: through `&Message` can be read what is static, the type's name and identity, and the
// payload by `downcast_ref`, which asks that it be `Sync`. `peek` is for who shares no reference.
unsafe impl Sync for Message {}

impl Message {
    /// Puts `value` in a node. A `Message` itself is forwarded, not wrapped.
    #[inline]
    pub(crate) fn new<T: Send + 'static>(value: T) -> Self {
        if is_message::<T>() {
            // Sent on, the news of an end says nothing of the new receiver's monitors.
            unwrap_message(value).let_in()
        } else {
            Self::plain(VTables::<T>::PLAIN, value)
        }
    }

    #[inline]
    pub(crate) fn signal(signal: Signal) -> Self {
        Self::plain(VTables::<Signal>::SIGNAL, signal)
    }

    /// A node without an id; the table is one of `T`.
    #[inline]
    fn plain<T: Send + 'static>(vtable: &'static VTable, value: T) -> Self {
        let node = pool::allocate(Layout::new::<Plain<T>>()).cast::<Plain<T>>();
        // SAFETY: fresh memory of that layout. Field by field, so that the value moves once.
        unsafe {
            (&raw mut (*node.as_ptr()).header).write(header(vtable));
            (&raw mut (*node.as_ptr()).payload).cast::<T>().write(value);
        }
        Self { node: node.cast() }
    }

    /// As [`Message::new`], for delivery through the alias `alias`.
    #[inline]
    pub(crate) fn aliased<T: Send + 'static>(alias: u64, priority: bool, payload: T) -> Self {
        if is_message::<T>() {
            let message = unwrap_message(payload);
            return (message.header().vtable.readdress)(message, alias, priority);
        }
        let vtable = if priority { VTables::<T>::PRIORITY } else { VTables::<T>::ALIASED };
        let payload = MaybeUninit::new(payload);
        Self { node: allocate(Aliased { header: header(vtable), alias, payload }) }
    }

    #[inline]
    pub(crate) fn header(&self) -> &Header {
        // SAFETY: a `Message` owns a live node.
        unsafe { self.node.as_ref() }
    }

    /// Says for which tenant of the slot the node is meant.
    #[inline]
    pub(crate) fn address(&mut self, generation: u64) {
        // SAFETY: a `Message` owns its node alone.
        unsafe { self.node.as_mut() }.generation = generation;
    }

    /// A message that tells the end of what the monitor `id` watched.
    pub(crate) fn telling_end<T: Send + 'static>(id: u64, payload: T) -> Self {
        let payload = MaybeUninit::new(payload);
        let node = Aliased { header: header(VTables::<T>::TELLS_END), alias: id, payload };
        Self { node: allocate(node) }
    }

    /// As [`Message::telling_end`], on its way to the holder of the monitor, who may have given it
    /// up.
    #[inline]
    pub(crate) fn end<T: Send + 'static>(id: u64, payload: impl FnOnce() -> T) -> Self {
        let node = pool::allocate(Layout::new::<Aliased<T>>()).cast::<Aliased<T>>();
        // SAFETY: fresh memory of that layout. Field by field, so that nothing is moved into it.
        // Should `payload` unwind, it is leaked.
        unsafe {
            (&raw mut (*node.as_ptr()).header).write(header(VTables::<T>::END));
            (&raw mut (*node.as_ptr()).alias).write(id);
            (&raw mut (*node.as_ptr()).payload).cast::<T>().write(payload());
        }
        Self { node: node.cast() }
    }

    /// The monitor whose end the message tells, if it does.
    pub(crate) fn told_end(&self) -> Option<u64> {
        // SAFETY: nodes of such tables are `Aliased`.
        self.header().vtable.tells_end.then(|| unsafe { self.id() })
    }

    /// The alias that the message was sent through, if it was.
    pub(crate) fn alias(&self) -> Option<u64> {
        match self.header().kind() {
            Kind::Plain | Kind::Signal | Kind::End => None,
            // SAFETY: nodes of these kinds are `Aliased`.
            Kind::Aliased | Kind::Priority => Some(unsafe { self.id() }),
        }
    }

    /// # Safety
    /// The node is an `Aliased`.
    unsafe fn id(&self) -> u64 {
        // SAFETY: an `Aliased` holds a `u64` there, whatever its payload is.
        unsafe { self.node.byte_add(ALIAS_OFFSET).cast::<u64>().read() }
    }

    /// The alias or monitor has let the message in: from now on it is one like any other, and can be
    /// sent on.
    pub(crate) fn let_in(mut self) -> Self {
        if let Some(delivered) = self.header().vtable.delivered {
            // SAFETY: a `Message` owns its node alone; the table is of the same type and layout.
            unsafe { self.node.as_mut() }.vtable = delivered;
        }
        self
    }

    /// Takes the control signal out.
    ///
    /// # Panics
    /// If the node is not a control signal.
    pub(crate) fn into_signal(self) -> Signal {
        assert!(self.header().kind() == Kind::Signal, "only a control signal holds a `Signal`");
        match self.take::<Signal>() {
            Ok((signal, _shell)) => signal,
            Err(_) => unreachable!("the kind says that the payload is a `Signal`"),
        }
    }

    /// Bytes of the node, header included.
    pub(crate) fn size(&self) -> usize {
        self.header().vtable.size
    }

    /// Whether the message is a `T`. Every message is a `Message`.
    #[inline]
    #[must_use]
    pub fn is<T: Send + 'static>(&self) -> bool {
        let vtable = self.header().vtable;
        // Same table, same type; the converse does not hold (tables may be duplicated).
        let same = ptr::eq(vtable, VTables::<T>::PLAIN) || vtable.type_id == TypeId::of::<T>();
        same || is_message::<T>()
    }

    /// The name of the message's type, for people.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        (self.header().vtable.type_name)()
    }

    /// The message as a `T`, if it is one.
    #[inline]
    #[must_use]
    pub fn downcast_ref<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.peek()
    }

    /// As `downcast_ref`, for the receiver itself, which may look at a payload that is not `Sync`:
    /// it holds the only reference.
    #[inline]
    pub(crate) fn peek<T: Send + 'static>(&self) -> Option<&T> {
        if is_message::<T>() {
            // SAFETY: `T` is `Message`.
            return Some(unsafe { &*ptr::from_ref(self).cast::<T>() });
        }
        // SAFETY: `is` says that the payload is a `T`; it lives as long as the node.
        self.is::<T>().then(|| unsafe { payload::<T>(self.node).as_ref() })
    }

    /// Turns the message into the `T` it holds.
    ///
    /// # Errors
    /// The message itself, untouched, if it holds another type.
    #[inline]
    pub fn downcast<T: Send + 'static>(self) -> Result<T, Self> {
        if !is_message::<T>() && ptr::eq(self.header().vtable, VTables::<T>::PLAIN) {
            let node = self.into_raw();
            // SAFETY: the table says that this is a `Plain<T>`; its payload moves out, and the
            // rest of it goes.
            return Ok(unsafe {
                let value = payload_of_plain::<T>(node).read();
                free::<Plain<T>>(node);
                value
            });
        }
        self.take::<T>().map(|(value, _shell)| value)
    }

    /// Moves the payload out and leaves the empty node; a `Message` takes any node as itself.
    #[inline]
    #[doc(hidden)]
    pub fn take<T: Send + 'static>(self) -> Result<(T, Shell<T>), Self> {
        if is_message::<T>() {
            return Ok((wrap_message(self), Shell { node: None, payload: PhantomData }));
        }
        if !self.is::<T>() {
            return Err(self);
        }
        let node = self.into_raw();
        // SAFETY: the payload is a `T`; the shell that now owns the node treats it as empty.
        let value = unsafe { payload::<T>(node).read() };
        Ok((value, Shell { node: Some(node), payload: PhantomData }))
    }

    /// Gives the node to an intrusive list.
    #[inline]
    pub(crate) fn into_raw(self) -> NonNull<Header> {
        ManuallyDrop::new(self).node
    }

    /// Takes a node back from an intrusive list.
    ///
    /// # Safety
    /// `node` comes from [`Message::into_raw`], and the list has given it up.
    #[inline]
    pub(crate) unsafe fn from_raw(node: NonNull<Header>) -> Self {
        Self { node }
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        struct Free(NonNull<Header>);
        impl Drop for Free {
            fn drop(&mut self) {
                // SAFETY: the payload is dropped (or was abandoned by its own panic), and the
                // message that owned the node is going away.
                unsafe { (self.0.as_ref().vtable.free)(self.0) }
            }
        }
        // The memory is freed even if dropping the payload panics.
        let _free = Free(self.node);
        // SAFETY: a `Message` owns a live node with an initialised payload.
        unsafe { (self.node.as_ref().vtable.drop_payload)(self.node) }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("type", &self.type_name()).finish()
    }
}

/// A node whose payload has been moved out: dropping it frees the memory, restoring it makes the
/// message whole again.
#[doc(hidden)]
#[derive(Debug)]
pub struct Shell<T> {
    /// None for the shell of a `Message` that was taken as itself.
    node: Option<NonNull<Header>>,
    payload: PhantomData<T>,
}

// SAFETY: an empty node holds no `T`; it is plain memory with one owner.
unsafe impl<T> Send for Shell<T> {}

impl<T: Send + 'static> Shell<T> {
    /// Puts the payload back.
    #[inline]
    pub fn restore(mut self, value: T) -> Message {
        match self.node.take() {
            None => unwrap_message(value),
            Some(node) => {
                // SAFETY: the shell owns the node, whose payload is a moved-out `T`.
                unsafe { payload::<T>(node).write(value) };
                Message { node }
            }
        }
    }
}

impl<T> Drop for Shell<T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(node) = self.node {
            // SAFETY: the shell owns the node and its payload has been moved out.
            unsafe { (node.as_ref().vtable.free)(node) }
        }
    }
}

fn header(vtable: &'static VTable) -> Header {
    Header { next: UnsafeCell::new(ptr::null_mut()), vtable, generation: 0 }
}

#[inline]
fn allocate<N>(node: N) -> NonNull<Header> {
    let memory = pool::allocate(Layout::new::<N>()).cast::<N>();
    // SAFETY: fresh memory of the layout of `N`.
    unsafe { memory.write(node) };
    memory.cast()
}

#[inline]
fn is_message<T: 'static>() -> bool {
    // Known at compile time for nearly every type, which the comparison of ids is not.
    let may_be = const { size_of::<T>() == size_of::<Message>() && needs_drop::<T>() };
    may_be && TypeId::of::<T>() == TypeId::of::<Message>()
}

/// `T` is `Message`, as [`is_message`] found.
fn unwrap_message<T: 'static>(value: T) -> Message {
    assert!(is_message::<T>());
    let value = ManuallyDrop::new(value);
    // SAFETY: `T` is `Message`; the original is never dropped.
    unsafe { ptr::read(ptr::from_ref(&value).cast::<Message>()) }
}

/// `T` is `Message`, as [`is_message`] found.
fn wrap_message<T: 'static>(message: Message) -> T {
    assert!(is_message::<T>());
    let message = ManuallyDrop::new(message);
    // SAFETY: `T` is `Message`; the original is never dropped.
    unsafe { ptr::read(ptr::from_ref(&message).cast::<T>()) }
}
