//! Who acts, as the audit log names him: the one meeting of access tokens with the database's audit log, for the services whose
//! requests change something.

mod acting;
mod denials;
mod origin;

pub use acting::Acting;
pub use denials::recorder as denial_recorder;
pub use origin::Origin;
