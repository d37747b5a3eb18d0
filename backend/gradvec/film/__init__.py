"""Film: frames whose strokes go on from frame to frame, shots that begin anew."""
