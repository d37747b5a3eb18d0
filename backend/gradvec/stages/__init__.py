"""The stages of the pipeline. They hand over plain types of gradvec.model and never import each other."""
