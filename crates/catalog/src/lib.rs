//! Layers to inventory: one pass over a layer, then stack them.
