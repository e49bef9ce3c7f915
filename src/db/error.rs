//! What can go wrong with a statement, as far as callers must tell it apart.

use thiserror::Error;
use tokio_postgres::error::SqlState;

#[derive(Debug, Error)]
pub enum DbError {
    /// No connection within the wait that is allowed.
    #[error("no database connection was free in time")]
    Busy,
    /// The database is away, starting, stopping or refusing connections.
    #[error("the database cannot be reached: {0}")]
    Away(String),
    /// What is stored cannot be read as what it should be.
    #[error("stored data cannot be read: {0}")]
    Damaged(String),
    #[error(transparent)]
    Statement(#[from] tokio_postgres::Error),
}

impl DbError {
    /// Whether a constraint of this name was violated.
    pub fn violates(&self, constraint: &str) -> bool {
        matches!(self, Self::Statement(e) if e.as_db_error().and_then(|e| e.constraint()) == Some(constraint))
    }

    /// Whether the statement took longer than it was allowed.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Statement(e) if e.code() == Some(&SqlState::QUERY_CANCELED))
    }

    /// Whether a value that was to be stored is to blame, so that others may be stored without it.
    pub fn is_about_rows(&self) -> bool {
        matches!(self, Self::Statement(e) if e.code().is_some_and(|code| {
            let class = code.code().get(..2).unwrap_or_default();
            // 22 data, 23 constraints, P0 and XX what functions raise
            matches!(class, "22" | "23" | "P0" | "XX")
        }))
    }

    /// Whether trying again may help: the connection was lost, or a deadlock or serialization
    /// failure undid the transaction.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Busy | Self::Away(_) => true,
            Self::Damaged(_) => false,
            Self::Statement(e) => {
                e.is_closed()
                    || e.code().is_some_and(|code| {
                        let class = code.code().get(..2).unwrap_or_default();
                        // 08 connection, 40 rollback, 53 resources, 57P operator (shutdown)
                        matches!(class, "08" | "40" | "53")
                            || code.code().starts_with("57P")
                            || *code == SqlState::LOCK_NOT_AVAILABLE
                    })
                    || e.code().is_none() && e.as_db_error().is_none() && is_io(e)
            }
        }
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

impl From<deadpool_postgres::PoolError> for DbError {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Timeout(_) => Self::Busy,
            deadpool_postgres::PoolError::Backend(e) => Self::Away(e.to_string()),
            other => Self::Away(other.to_string()),
        }
    }
}
