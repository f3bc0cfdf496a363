"""Pictures of readouts: Bokeh figures made from values that analysis has already computed."""
