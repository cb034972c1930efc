//! Why a solve stopped: step, time, component, and what to try.
